// Errors arrive in res, negative: -EAGAIN, not -1 and errno. Each one here is provoked for real and
// handled as the table in errors_policy.hpp says.
//
// What must hold:
//  - A request that fails does not fail the enter that submitted it: its error is in its own CQE.
//  - A short result is a success. The rest has to be asked for again.
//  - The decision depends on the operation as well as on the error: ECANCELED ends a connection, but is
//    nothing special for a timeout.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <span>
#include <string>

#include "common/base/unique_fd.hpp"
#include "common/uring/kernel_answers.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/provided_buffers.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/completions.hpp"
#include "m1_sq_cq/error_bench.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/process_view.hpp"

namespace m1 {

namespace {

constexpr std::array kHello = {std::byte{'h'}, std::byte{'e'}, std::byte{'l'}, std::byte{'l'},
                               std::byte{'o'}};

struct FdPair {
  base::UniqueFd reader;
  base::UniqueFd writer;
};

FdPair make_pipe() {
  std::array<int, 2> fds{-1, -1};
  CHECK(::pipe2(fds.data(), O_CLOEXEC) == 0, "a pipe can be made");
  return {base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
}

FdPair make_sockets() {
  std::array<int, 2> fds{-1, -1};
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0,
        "a socket pair can be made");
  return {base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
}

base::UniqueFd make_small_file() {
  base::UniqueFd file(::memfd_create("m1_errors", MFD_CLOEXEC));
  CHECK(file.valid() && ::write(file.get(), kHello.data(), kHello.size()) ==
                            static_cast<ssize_t>(kHello.size()),
        "a small file can be made in memory");
  return file;
}

void say_hello(const base::UniqueFd& to) {
  CHECK(::write(to.get(), kHello.data(), kHello.size()) == static_cast<ssize_t>(kHello.size()),
        "an empty pipe or socket takes five bytes");
}

// --- A success that looks like a failure ----------------------------------------------------------

Status short_read(Narrator& out, uring::Ring& ring) {
  out.section("No error: a short result");
  const base::UniqueFd file = make_small_file();
  std::array<std::byte, 64> buffer{};
  std::array<std::int32_t, 2> results{};
  std::uint64_t offset = 0;
  for (std::int32_t& result : results) {
    uring::prep_read(*ring.next_sqe(), file.get(), buffer, offset);
    const auto cqes = collect(ring, 1);
    if (!cqes) {
      return out.cannot("read a small file", cqes.error());
    }
    result = cqes->front().res;
    offset += result > 0 ? static_cast<std::uint64_t>(result) : 0;
  }
  out.claim(results[0] == static_cast<std::int32_t>(kHello.size()),
            "a read of %zu bytes from a file of %zu: res is %d, what was there", buffer.size(),
            kHello.size(), results[0]);
  out.claim(results[1] == 0,
            "asked again for the rest, from offset %d: res is %d, the end of the file", results[0],
            results[1]);
  return out.status();
}

// --- To be tried again ----------------------------------------------------------------------------

// The ring waits for a socket in our place, so EAGAIN comes only to a request that says it will not
// wait.
void provoke_eagain(ErrorBench& bench) {
  const FdPair sockets = make_sockets();
  std::array<std::byte, 64> buffer{};
  bench.run(
      {.done = "RECV with MSG_DONTWAIT from an empty socket",
       .kind = kRecv,
       .expected = {EAGAIN},
       .prepare =
           [&](auto& sqe) { uring::prep_recv(sqe, sockets.reader.get(), buffer, MSG_DONTWAIT); },
       .mend = [&] { say_hello(sockets.writer); }});
}

void provoke_enobufs(ErrorBench& bench, const uring::Features& features) {
  constexpr std::uint16_t kGroup = 7;
  const FdPair pipe = make_pipe();
  say_hello(pipe.writer);
  std::optional<uring::ProvidedBuffers> buffers;
  const auto provide = [&] {
    auto created = uring::ProvidedBuffers::create(bench.ring(), features,
                                                  {.group = kGroup, .count = 1, .buffer_size = 64});
    CHECK(created.has_value(), "a group of one buffer can be provided");
    buffers.emplace(std::move(*created));
  };
  bench.run({.done = "READ into a provided buffer, of which there is none",
             .kind = kRead,
             .expected = {ENOBUFS},
             .prepare =
                 [&](auto& sqe) { uring::prep_read_select(sqe, pipe.reader.get(), 64, 0, kGroup); },
             .mend = provide});
}

// --- Ended by something else ----------------------------------------------------------------------

Status provoke_ecanceled(ErrorBench& bench) {
  constexpr std::uint64_t kRecvToken = 1;
  constexpr std::uint64_t kCancelToken = 2;
  FdPair sockets = make_sockets();
  std::array<std::byte, 64> buffer{};
  uring::Ring& ring = bench.ring();
  uring::io_uring_sqe* recv = ring.next_sqe();
  uring::prep_recv(*recv, sockets.reader.get(), buffer, 0);
  recv->user_data = kRecvToken;
  if (const auto submitted = ring.submit(); !submitted) {
    return bench.out().cannot("submit a recv", submitted.error());
  }
  uring::io_uring_sqe* cancel = ring.next_sqe();
  uring::prep_cancel(*cancel, kRecvToken, 0);
  cancel->user_data = kCancelToken;
  const auto cqes = collect(ring, 2);
  if (!cqes) {
    return bench.out().cannot("cancel a recv", cqes.error());
  }
  const auto& of_recv = cqes->front().user_data == kRecvToken ? cqes->front() : cqes->back();
  bench.handle({.done = "a RECV that waits for data is cancelled",
                .kind = kRecv,
                .expected = {ECANCELED},
                .prepare = {},
                .file = &sockets.reader},
               of_recv.res);
  bench.run({.done = "ASYNC_CANCEL of a request that is not there",
             .kind = kCancel,
             .expected = {ENOENT},
             .prepare = [&](auto& sqe) { uring::prep_cancel(sqe, kRecvToken, 0); }});
  return bench.out().status();
}

// A read that gets less than it asked for succeeds, and breaks its chain all the same.
Status provoke_broken_link(ErrorBench& bench) {
  constexpr std::uint64_t kNopToken = 2;
  const base::UniqueFd file = make_small_file();
  std::array<std::byte, 64> buffer{};
  uring::Ring& ring = bench.ring();
  CHECK(ring.sq().begin_chain(2), "an empty SQ has room for two");
  uring::prep_read(*ring.next_sqe(), file.get(), buffer, 0);
  uring::io_uring_sqe* nop = ring.next_sqe();
  uring::prep_nop(*nop);
  nop->user_data = kNopToken;
  const auto cqes = collect(ring, 2);
  if (!cqes) {
    return bench.out().cannot("submit a chain", cqes.error());
  }
  const auto& of_nop = cqes->front().user_data == kNopToken ? cqes->front() : cqes->back();
  bench.handle({.done = "a NOP linked behind a READ that came back short",
                .kind = kNop,
                .expected = {ECANCELED},
                .prepare = {}},
               of_nop.res);
  return bench.out().status();
}

void provoke_etime(ErrorBench& bench) {
  constexpr std::int64_t kOneMs = 1'000'000;
  const __kernel_timespec time = uring::to_timespec(kOneMs);
  bench.run(
      {.done = "TIMEOUT of 1 ms", .kind = kTimeout, .expected = {ETIME}, .prepare = [&](auto& sqe) {
         uring::prep_timeout(sqe, &time, 0, 0);
       }});
}

// --- Refused by what is at the other end ----------------------------------------------------------

void provoke_epipe(ErrorBench& bench) {
  FdPair sockets = make_sockets();
  sockets.reader.reset();
  bench.run({.done = "SEND to a socket whose peer has gone",
             .kind = kSend,
             .expected = {EPIPE},
             .prepare = [&](auto& sqe) { uring::prep_send(sqe, sockets.writer.get(), kHello, 0); },
             .file = &sockets.writer});
}

void provoke_enospc(ErrorBench& bench) {
  base::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full.valid()) {
    bench.out().say("ENOSPC is left out: this machine has no /dev/full.");
    return;
  }
  bench.run({.done = "WRITE to /dev/full",
             .kind = kWrite,
             .expected = {ENOSPC},
             .prepare = [&](auto& sqe) { uring::prep_write(sqe, full.get(), kHello, 0); },
             .file = &full});
}

void provoke_eisdir(ErrorBench& bench) {
  base::UniqueFd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::array<std::byte, 64> buffer{};
  bench.run({.done = "READ from a directory",
             .kind = kRead,
             .expected = {EISDIR},
             .prepare = [&](auto& sqe) { uring::prep_read(sqe, directory.get(), buffer, 0); },
             .file = &directory});
}

void provoke_enoent(ErrorBench& bench) {
  bench.run({.done = "OPENAT of a name that does not exist",
             .kind = kOpen,
             .expected = {ENOENT},
             .prepare = [](auto& sqe) {
               uring::prep_openat(sqe, AT_FDCWD, "/proc/self/no_such_file", O_RDONLY, 0);
             }});
}

// --- EBUSY ----------------------------------------------------------------------------------------

// A place where something is mounted, for certain: a directory that is none could be removed. "/" is
// left out here, none: there is no other.
std::optional<std::string> find_mount_point() {
  constexpr std::string_view kFavourite = "/proc";
  std::optional<std::string> found;
  const std::string table = read_proc("/proc/self/mountinfo").value_or("");
  for (std::size_t begin = 0; begin < table.size();) {
    const std::size_t end = std::min(table.find('\n', begin), table.size());
    std::array<char, 256> path{};
    const std::string line = table.substr(begin, end - begin);
    begin = end + 1;
    // 36 35 98:0 /root /mount/point ...; blanks in names are written \040: such names are passed by.
    if (std::sscanf(line.c_str(), "%*s %*s %*s %*s %255s", path.data()) != 1) {
      continue;
    }
    const std::string mount_point = path.data();
    if (mount_point == kFavourite) {
      return mount_point;
    }
    if (mount_point.size() > 1 && mount_point.size() < path.size() - 1 &&
        mount_point.find('\\') == std::string::npos) {
      found = mount_point;
    }
  }
  return found;
}

void remove_directory(ErrorBench& bench, const std::string& path, std::vector<int> expected) {
  bench.run({.done = "UNLINKAT(AT_REMOVEDIR) of " + path + ", a mount point",
             .kind = kUnlink,
             .expected = std::move(expected),
             .prepare = [&](auto& sqe) {
               uring::prep_unlinkat(sqe, AT_FDCWD, path.c_str(), AT_REMOVEDIR);
             }});
}

void provoke_ebusy(ErrorBench& bench) {
  const auto kernel = uring::KernelAnswers::ask(/*with_query=*/false);
  if (!kernel || !kernel->opcode_supported(uring::IORING_OP_UNLINKAT)) {
    bench.out().say("EBUSY is left out: this kernel has no UNLINKAT (Linux 5.11).");
    return;
  }
  // Who may not write to the parent directory hears that first: EACCES, EPERM; or EROFS.
  if (const auto mount_point = find_mount_point()) {
    remove_directory(bench, *mount_point, {EBUSY, EACCES, EPERM, EROFS});
  }
  // The root has no parent to ask for permission.
  remove_directory(bench, "/", {EBUSY});
}

// --- Our own mistakes: no row in the policy ---------------------------------------------------------

void provoke_ebadf(ErrorBench& bench) {
  std::array<std::byte, 64> buffer{};
  bench.run({.done = "READ from descriptor -1",
             .kind = kRead,
             .expected = {EBADF},
             .prepare = [&](auto& sqe) { uring::prep_read(sqe, -1, buffer, 0); }});
}

void provoke_einval(ErrorBench& bench) {
  constexpr std::uint8_t kNoOpcode = 0xff;
  bench.run({.done = "an opcode that does not exist (255)",
             .kind = kNop,
             .expected = {EINVAL},
             .prepare = [](auto& sqe) { sqe.opcode = kNoOpcode; }});
  bench.run({.done = "TIMEOUT with a flag that does not exist",
             .kind = kTimeout,
             .expected = {EINVAL},
             .prepare = [](auto& sqe) {
               static constexpr __kernel_timespec kTime{.tv_sec = 1, .tv_nsec = 0};
               uring::prep_timeout(sqe, &kTime, 0, 1U << 31);
             }});
}

void provoke_efault(ErrorBench& bench) {
  const base::UniqueFd file = make_small_file();
  bench.run({.done = "READ into address 8, where no memory is",
             .kind = kRead,
             .expected = {EFAULT},
             .prepare = [&](auto& sqe) {
               uring::prep_read(sqe, file.get(), {}, 0);
               sqe.addr = 8;
               sqe.len = 64;
             }});
}

}  // namespace

Status lesson_errors(const LessonContext& context) {
  Narrator out("errors");
  auto ring = uring::Ring::create({.sq_entries = 8, .trace = context.trace}, context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }
  if (const Status status = short_read(out, *ring); status != Status::Ok) {
    return status;
  }

  out.section("Errors, each provoked and handled");
  ErrorBench bench(out, *ring);
  provoke_eagain(bench);
  provoke_enobufs(bench, context.features);
  if (const Status status = provoke_ecanceled(bench); status != Status::Ok) {
    return status;
  }
  if (const Status status = provoke_broken_link(bench); status != Status::Ok) {
    return status;
  }
  provoke_etime(bench);
  provoke_epipe(bench);
  provoke_enospc(bench);
  provoke_eisdir(bench);
  provoke_enoent(bench);
  provoke_ebusy(bench);
  provoke_ebadf(bench);
  provoke_einval(bench);
  provoke_efault(bench);
  bench.finish();

  out.say(
      "Without a row in the policy an error is fatal: EBADF, EINVAL and EFAULT say that the "
      "request was wrong, and no second try mends that.");
  return out.status();
}

}  // namespace m1
