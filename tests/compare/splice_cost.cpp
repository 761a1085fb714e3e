// What a body of a hot file costs the server's CPU by three ways to 64 sockets: sendfile(2), linked
// pairs of SPLICE through the ring (file -> pipe -> socket), linked pairs of READ_FIXED and SEND.
// No HTTP and no server around them: it is the kernel's own share that is measured.
//
// The ways take turns, A B C C B A. The time is the CPU time of all threads of this process: the
// workers of io-wq, which do the SPLICEs, are in it. The other ends of the sockets are in another
// process, on another CPU.

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"
#include "common/net/socket.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/support/options.hpp"
#include "common/support/statistics.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/registered_buffers.hpp"
#include "common/uring/ring.hpp"
#include "tests/compare/splice_reader.hpp"

namespace {

constexpr std::size_t kConnections = splice_cost::kConnections;
constexpr std::uint32_t kPiece = 64 << 10;  // of a READ_FIXED: a buffer of m2_file_server
constexpr std::uint32_t kLargest = 1 << 20;
constexpr int kSendBuffer = 2 << 20;  // a body fits into it, where net.core.wmem_max allows that
constexpr std::uint32_t kEntries = kConnections * 2 * (kLargest / kPiece);

using splice_cost::Sockets;

void pin(std::size_t cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  CHECK(::sched_setaffinity(0, sizeof cpus, &cpus) == 0, "we may run on this CPU");
}

std::array<std::size_t, 2> two_cpus() {
  cpu_set_t allowed;
  CHECK(::sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  CHECK(CPU_COUNT(&allowed) >= 2, "one CPU for the server's side, one for the client's");
  std::array<std::size_t, 2> cpus{};
  for (std::size_t cpu = 0, found = 0; found < cpus.size(); ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) {
      cpus[found++] = cpu;
    }
  }
  return cpus;
}

// --- the three ways -----------------------------------------------------------------------------

struct Pipe {
  base::UniqueFd read_end;
  base::UniqueFd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends;
  CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
  CHECK(::fcntl(ends[1], F_SETPIPE_SZ, kLargest) >= static_cast<int>(kLargest),
        "64 pipes of 1 MiB need CAP_SYS_RESOURCE: run it as root");
  return {base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

class Sender {
 public:
  Sender(uring::Ring& ring, int file, std::uint32_t size, Sockets sockets)
      : ring_(ring), file_(file), size_(size), sockets_(std::move(sockets)) {
    std::ranges::generate(pipes_, make_pipe);
    for (std::size_t i = 0; i < kConnections; ++i) {
      const iovec buffer{.iov_base = memory_of(i).data(), .iov_len = kPiece};
      CHECK(fixed_.update(static_cast<std::uint32_t>(i), buffer).has_value());
    }
  }

  void by_sendfile() {
    for (const base::UniqueFd& socket : sockets_) {
      off_t offset = 0;
      while (offset < static_cast<off_t>(size_)) {
        const auto left = static_cast<std::size_t>(static_cast<off_t>(size_) - offset);
        CHECK(::sendfile(socket.get(), file_, &offset, left) > 0);
      }
    }
  }

  void by_splice() {
    for (std::size_t i = 0; i < kConnections; ++i) {
      uring::io_uring_sqe& fill = sqe(size_);
      uring::prep_splice(fill, file_, 0, pipes_[i].write_end.get(), uring::kNoOffset, size_, 0);
      fill.flags |= uring::IOSQE_IO_LINK;
      uring::prep_splice(sqe(size_), pipes_[i].read_end.get(), uring::kNoOffset, sockets_[i].get(),
                         uring::kNoOffset, size_, 0);
    }
    finish(2 * kConnections);
  }

  // A body is one chain over one buffer: SEND has copied a piece when the next READ_FIXED begins.
  void by_buffer() {
    const std::uint32_t piece = std::min(size_, kPiece);
    for (std::size_t i = 0; i < kConnections; ++i) {
      for (std::uint32_t offset = 0; offset < size_; offset += piece) {
        const std::span<std::byte> memory = memory_of(i).first(piece);
        uring::io_uring_sqe& read = sqe(piece);
        uring::prep_read_fixed(read, file_, memory, offset, static_cast<std::uint16_t>(i));
        read.flags |= uring::IOSQE_IO_LINK;
        const bool last = offset + piece == size_;
        uring::io_uring_sqe& send = sqe(piece);
        uring::prep_send(send, sockets_[i].get(), memory, MSG_WAITALL | (last ? 0 : MSG_MORE));
        send.flags |= last ? 0 : uring::IOSQE_IO_LINK;
      }
    }
    finish(2 * kConnections * (size_ / piece));
  }

  // One byte comes back for each body: all sockets are empty then.
  void await_readers() {
    for (const base::UniqueFd& socket : sockets_) {
      char byte;
      CHECK(::recv(socket.get(), &byte, 1, 0) == 1, "the reader has read everything");
    }
  }

 private:
  std::span<std::byte> memory_of(std::size_t connection) {
    return std::span(memory_).subspan(connection * kPiece, kPiece);
  }

  // Its completion must say `bytes`.
  uring::io_uring_sqe& sqe(std::uint32_t bytes) {
    uring::io_uring_sqe* next = ring_.next_sqe();
    CHECK(next != nullptr, "the SQ has room for a round");
    next->user_data = bytes;
    return *next;
  }

  void finish(std::size_t count) {
    CHECK(ring_.submit_and_wait(static_cast<std::uint32_t>(count)).has_value());
    std::array<uring::io_uring_cqe, 256> cqes;
    for (std::size_t done = 0; done < count;) {
      const std::uint32_t reaped = ring_.reap(cqes);
      for (const uring::io_uring_cqe& cqe : std::span(cqes).first(reaped)) {
        CHECK(cqe.res == static_cast<std::int32_t>(cqe.user_data), "all of it, in one step");
      }
      done += reaped;
      CHECK(reaped > 0 || ring_.submit_and_wait(1).has_value());
    }
  }

  uring::Ring& ring_;
  int file_;
  std::uint32_t size_;
  Sockets sockets_;
  std::array<Pipe, kConnections> pipes_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(kConnections * kPiece);
  uring::RegisteredBuffers fixed_ = *uring::RegisteredBuffers::create_sparse(ring_, kConnections);
};

// --- the measurement ----------------------------------------------------------------------------

struct Way {
  const char* name;
  void (Sender::*send)();
  std::vector<double> us_per_body;
};

// Microseconds of CPU for a body.
double slice(Sender& sender, const Way& way, unsigned repeats) {
  std::uint64_t cpu_ns = 0;
  for (unsigned i = 0; i < repeats; ++i) {
    const std::uint64_t before_ns = support::process_cpu_ns();
    (sender.*way.send)();
    cpu_ns += support::process_cpu_ns() - before_ns;
    sender.await_readers();
  }
  return static_cast<double>(cpu_ns) / 1000 / (static_cast<double>(repeats) * kConnections);
}

void print(std::uint32_t size, const Way& way, const Way& reference) {
  const auto result =
      support::compare_pairs(way.us_per_body, reference.us_per_body, support::Better::Lower);
  const auto own = support::median_interval(way.us_per_body).value_or(support::Interval{0, 0});
  const auto ratio = result.interval_95.value_or(support::Interval{0, 0});
  std::printf("%5u KiB  %-17s  %7.2f us [%7.2f, %7.2f]   %.3f [%.3f, %.3f]\n", size >> 10, way.name,
              support::median(way.us_per_body), own.low, own.high, result.median_ratio, ratio.low,
              ratio.high);
}

void compare(Sender& sender, std::uint32_t size, unsigned rounds, unsigned repeats) {
  std::array<Way, 3> ways{{{"sendfile", &Sender::by_sendfile, {}},
                           {"SPLICE, SPLICE", &Sender::by_splice, {}},
                           {"READ_FIXED, SEND", &Sender::by_buffer, {}}}};
  for (const Way& way : ways) {
    slice(sender, way, 2);  // warm
  }
  for (unsigned round = 0; round < rounds; ++round) {
    for (Way& way : ways) {
      way.us_per_body.push_back(slice(sender, way, repeats));
    }
    for (auto way = ways.rbegin(); way != ways.rend(); ++way) {
      way->us_per_body.push_back(slice(sender, *way, repeats));
    }
  }
  for (const Way& way : ways) {
    print(size, way, ways[0]);
  }
}

base::UniqueFd make_file(const std::string& directory) {
  base::UniqueFd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  CHECK(file.valid(), "a file can be made in --directory");
  const std::vector<char> bytes(kLargest, 'x');
  CHECK(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return file;
}

base::UniqueFd listen_on(net::Address& address) {
  base::UniqueFd listener(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(::bind(listener.get(), address.data(), address.size()) == 0);
  CHECK(::listen(listener.get(), kConnections) == 0);
  address = *net::local_address(listener.get());
  return listener;
}

// The reader is made before the ring, which a child must not inherit.
void measure(const uring::Features& features, int file, std::uint32_t size, unsigned rounds,
             unsigned repeats) {
  const std::array<std::size_t, 2> cpus = two_cpus();
  net::Address address = *net::Address::parse("127.0.0.1");
  base::UniqueFd listener = listen_on(address);
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child == 0) {
    listener.reset();
    pin(cpus[1]);
    splice_cost::read_bodies(address, size);
    std::_Exit(0);
  }
  cpu_set_t before;
  CHECK(::sched_getaffinity(0, sizeof before, &before) == 0);
  pin(cpus[0]);
  {
    Sockets sockets;
    for (base::UniqueFd& socket : sockets) {
      socket.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      CHECK(socket.valid() && net::set_send_buffer(socket.get(), kSendBuffer).has_value() &&
            net::set_nodelay(socket.get(), true).has_value());
    }
    auto ring = uring::Ring::create(
        {.sq_entries = kEntries,
         .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN |
                        uring::IORING_SETUP_SUBMIT_ALL},
        features);
    CHECK(ring.has_value(), "a ring can be set up");
    Sender sender(*ring, file, size, std::move(sockets));
    compare(sender, size, rounds, repeats);
  }
  CHECK(::waitpid(child, nullptr, 0) == child);
  CHECK(::sched_setaffinity(0, sizeof before, &before) == 0);
}

}  // namespace

int main(int argc, char** argv) {
  unsigned rounds = 50;
  std::string directory = ".";
  const support::Options options(
      "splice_cost", "The CPU time of sending a file's bytes by three ways, in turns.",
      {support::Option::integer("rounds", &rounds, 3, 100000, "A B C C B A, how many times"),
       support::Option::text("directory", "DIR", &directory, "where the file is made: on a disk")});
  if (const auto status = options.parse_main(argc, argv)) {
    return *status;
  }
  const auto features = uring::Features::detect({});
  CHECK(features.has_value(), "io_uring is denied here: `m1_sq_cq features` says by whom");
  const base::UniqueFd file = make_file(directory);
  std::printf("%zu connections, %u slices of each way\n", kConnections, 2 * rounds);
  std::printf("     size  way                CPU of a body                  against sendfile\n");
  measure(*features, file.get(), 64 << 10, rounds, 20);
  measure(*features, file.get(), kLargest, rounds, 2);
  return 0;
}
