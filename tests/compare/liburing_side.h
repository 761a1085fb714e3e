/* The liburing side of nop_liburing: the same work as ours, in its own file, because liburing's
 * header and ours name the same constants. */
#ifndef TESTS_COMPARE_LIBURING_SIDE_H
#define TESTS_COMPARE_LIBURING_SIDE_H

#ifdef __cplusplus
extern "C" {
#endif

struct liburing_side;

/* A ring with these IORING_SETUP_* flags, its descriptor registered if `registered_fd`. Null: it
 * could not be set up. */
struct liburing_side* liburing_side_open(unsigned entries, unsigned setup_flags, int registered_fd);
void liburing_side_close(struct liburing_side* side);

/* `rounds` times: prepares `batch` NOPs, submits and waits for them in one system call, reads their
 * completions. Returns the sum of their user_data, or 0 after an error. */
unsigned long long liburing_side_run(struct liburing_side* side, unsigned batch, unsigned rounds);

#ifdef __cplusplus
}
#endif

#endif
