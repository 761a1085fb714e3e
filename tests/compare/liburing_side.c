#include "tests/compare/liburing_side.h"

#include <liburing.h>
#include <stdlib.h>
#include <string.h>

struct liburing_side {
  struct io_uring ring;
};

struct liburing_side* liburing_side_open(unsigned entries, unsigned setup_flags,
                                         int registered_fd) {
  struct liburing_side* side = calloc(1, sizeof *side);
  struct io_uring_params params;
  memset(&params, 0, sizeof params);
  params.flags = setup_flags;
  if (side == NULL || io_uring_queue_init_params(entries, &side->ring, &params) != 0) {
    free(side);
    return NULL;
  }
  if (registered_fd && io_uring_register_ring_fd(&side->ring) != 1) {
    liburing_side_close(side);
    return NULL;
  }
  return side;
}

void liburing_side_close(struct liburing_side* side) {
  io_uring_queue_exit(&side->ring);
  free(side);
}

unsigned long long liburing_side_run(struct liburing_side* side, unsigned batch, unsigned rounds) {
  struct io_uring* ring = &side->ring;
  unsigned long long sum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    for (unsigned i = 0; i < batch; ++i) {
      struct io_uring_sqe* sqe = io_uring_get_sqe(ring);
      if (sqe == NULL) {
        return 0;
      }
      io_uring_prep_nop(sqe);
      sqe->user_data = i + 1;
    }
    if (io_uring_submit_and_wait(ring, batch) != (int)batch) {
      return 0;
    }
    unsigned head;
    unsigned count = 0;
    struct io_uring_cqe* cqe;
    io_uring_for_each_cqe(ring, head, cqe) {
      sum += cqe->user_data;
      ++count;
    }
    io_uring_cq_advance(ring, count);
  }
  return sum;
}
