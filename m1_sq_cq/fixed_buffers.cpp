// Registered ("fixed") buffers: the kernel looks the pages of a buffer up and pins them once, instead
// of once per operation. READ_FIXED and WRITE_FIXED name the slot of the table and an address in it.
//
// What must hold:
//  - One table per ring: a second registration is EBUSY.
//  - A slot that is out of range or empty, or bytes that are not all in the buffer: -EFAULT.
//  - The memory needs no alignment. O_DIRECT needs some, of its own.
//  - A table may be made of empty slots (Linux 5.19), and slots change while it is in use (5.13).

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/support/write_all.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/opcode_name.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/registered_buffers.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/completions.hpp"
#include "m1_sq_cq/direct_io.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/process_view.hpp"
#include "m1_sq_cq/scratch_directory.hpp"

namespace m1 {

namespace {

using uring::Feature;

constexpr std::size_t kBufferBytes = 8192;
// Odd addresses, to show that registration asks for no alignment.
constexpr std::size_t kFirstBuffer = 4096 + 1;
constexpr std::size_t kSecondBuffer = kFirstBuffer + kBufferBytes + 334;
constexpr std::size_t kMemoryBytes = kSecondBuffer + kBufferBytes + 4096;

iovec as_iovec(std::span<std::byte> bytes) {
  return {.iov_base = bytes.data(), .iov_len = bytes.size()};
}

// Different at each offset for a good while, and never 0.
std::byte pattern_at(std::size_t offset) {
  return static_cast<std::byte>(offset % 251 + 1);
}

void fill(std::span<std::byte> bytes, std::size_t file_offset) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = pattern_at(file_offset + i);
  }
}

bool holds_pattern(std::span<const std::byte> bytes, std::size_t file_offset) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != pattern_at(file_offset + i)) {
      return false;
    }
  }
  return !bytes.empty();
}

class FixedBuffers {
 public:
  FixedBuffers(Narrator& out, const LessonContext& context, uring::Ring& ring, std::string path,
               base::UniqueFd file, uring::MappedRegion memory)
      : out_(out),
        context_(context),
        ring_(ring),
        path_(std::move(path)),
        file_(std::move(file)),
        memory_(std::move(memory)) {}

  void write_and_read();
  void sparse_table();
  void direct_io();

 private:
  // The res of one request; none when the ring failed, which has been said then.
  std::optional<std::int32_t> run(auto prepare);
  std::optional<std::int32_t> read_fixed(int fd, std::span<std::byte> into, std::uint64_t offset,
                                         std::uint16_t slot);
  std::optional<std::int32_t> write_fixed(std::span<const std::byte> from, std::uint64_t offset,
                                          std::uint16_t slot);
  // Claims that the request ended with this error.
  void claim_error(std::optional<std::int32_t> res, int error, const std::string& what);
  void wrong_uses(std::span<std::byte> registered);

  [[nodiscard]] std::span<std::byte> first() const {
    return memory_.bytes().subspan(kFirstBuffer, kBufferBytes);
  }
  [[nodiscard]] std::span<std::byte> second() const {
    return memory_.bytes().subspan(kSecondBuffer, kBufferBytes);
  }

  Narrator& out_;
  const LessonContext& context_;
  uring::Ring& ring_;
  std::string path_;
  base::UniqueFd file_;
  uring::MappedRegion memory_;
};

std::optional<std::int32_t> FixedBuffers::run(auto prepare) {
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  CHECK(sqe != nullptr, "one request at a time");
  prepare(*sqe);
  const auto cqes = collect(ring_, 1);
  if (!cqes) {
    static_cast<void>(out_.cannot("submit a request and wait for it", cqes.error()));
    return std::nullopt;
  }
  return cqes->front().res;
}

std::optional<std::int32_t> FixedBuffers::read_fixed(int fd, std::span<std::byte> into,
                                                     std::uint64_t offset, std::uint16_t slot) {
  return run(
      [&](uring::io_uring_sqe& sqe) { uring::prep_read_fixed(sqe, fd, into, offset, slot); });
}

std::optional<std::int32_t> FixedBuffers::write_fixed(std::span<const std::byte> from,
                                                      std::uint64_t offset, std::uint16_t slot) {
  return run([&](uring::io_uring_sqe& sqe) {
    uring::prep_write_fixed(sqe, file_.get(), from, offset, slot);
  });
}

void FixedBuffers::claim_error(std::optional<std::int32_t> res, int error,
                               const std::string& what) {
  if (res) {
    const base::Errno seen{-*res};
    out_.claim(seen.value == error, "%s: res is %d (%s)", what.c_str(), *res,
               *res < 0 ? seen.name() : "no error");
  }
}

// --- one table, two buffers ----------------------------------------------------------------------

void FixedBuffers::write_and_read() {
  out_.section("Register two buffers, once");
  const std::array buffers = {as_iovec(first()), as_iovec(second())};
  const auto pinned_before = pinned_kib();
  const auto table = uring::RegisteredBuffers::create(ring_, buffers);
  if (!table) {
    static_cast<void>(out_.cannot(table.error().value == ENOMEM
                                      ? "register two buffers (`ulimit -l` is the limit)"
                                      : "register two buffers",
                                  table.error()));
    return;
  }
  out_.say("Slot 0 is %p and slot 1 is %p, %zu bytes each: odd addresses, no page, no sector.",
           static_cast<void*>(first().data()), static_cast<void*>(second().data()), kBufferBytes);
  if (const auto slots = number_after(fdinfo(ring_.fd()), "UserBufs")) {
    out_.claim(*slots == table->size(), "the kernel's table has %llu slots (fdinfo of the ring)",
               static_cast<unsigned long long>(*slots));
  }
  const auto pinned_after = pinned_kib();
  if (pinned_before && pinned_after && *pinned_after == *pinned_before) {
    // KERNEL(7.2): seen so with CAP_IPC_LOCK, whose owner has no limit to be counted against.
    out_.say("VmPin stays at %llu KiB: this kernel does not count them there.",
             static_cast<unsigned long long>(*pinned_after));
  } else if (pinned_before && pinned_after) {
    out_.claim(*pinned_after > *pinned_before,
               "their pages are pinned: VmPin went from %llu to %llu KiB",
               static_cast<unsigned long long>(*pinned_before),
               static_cast<unsigned long long>(*pinned_after));
  }
  const auto again = uring::RegisteredBuffers::create(ring_, buffers);
  out_.claim(!again && again.error().value == EBUSY, "a second registration is refused: %s",
             again ? "it was not" : again.error().name());

  out_.section("WRITE_FIXED from slot 0, READ_FIXED into slot 1");
  fill(first(), 0);
  if (const auto res = write_fixed(first(), 0, 0)) {
    out_.claim(*res == static_cast<std::int32_t>(kBufferBytes), "%s wrote %d bytes",
               uring::opcode_name(uring::IORING_OP_WRITE_FIXED), *res);
  }
  if (const auto res = read_fixed(file_.get(), second(), 0, 1)) {
    out_.claim(*res == static_cast<std::int32_t>(kBufferBytes) && holds_pattern(second(), 0),
               "%s read %d bytes, the same ones", uring::opcode_name(uring::IORING_OP_READ_FIXED),
               *res);
  }
  const std::span<std::byte> part = second().subspan(100, 57);
  std::ranges::fill(second(), std::byte{0});
  if (const auto res = read_fixed(file_.get(), part, 1000, 1)) {
    const auto untouched = std::ranges::count(second(), std::byte{0});
    out_.claim(
        *res == 57 && holds_pattern(part, 1000) && untouched == kBufferBytes - 57,
        "any part of a buffer will do: %d bytes came to where they should, the other %td are "
        "untouched",
        *res, static_cast<std::ptrdiff_t>(untouched));
  }
  wrong_uses(second());
}

void FixedBuffers::wrong_uses(std::span<std::byte> registered) {
  out_.section("What is refused");
  claim_error(read_fixed(file_.get(), registered, 0, 2), EFAULT, "slot 2 of a table of 2");
  const std::span beyond(registered.data() + 1, registered.size());
  claim_error(read_fixed(file_.get(), beyond, 0, 1), EFAULT, "one byte beyond the end of slot 1");
  claim_error(read_fixed(file_.get(), registered, 0, 0), EFAULT,
              "the address of slot 1 with the number of slot 0");
}

// --- empty slots ---------------------------------------------------------------------------------

void FixedBuffers::sparse_table() {
  out_.section("A table of empty slots, filled later");
  for (const Feature needed : {Feature::SparseBuffers, Feature::BufferUpdate}) {
    if (!context_.features.has(needed)) {
      out_.skip(needed, "a table that starts empty and changes while the ring is in use");
      return;
    }
  }
  constexpr std::uint32_t kSlots = 4;
  constexpr std::uint16_t kSlot = 2;
  auto table = uring::RegisteredBuffers::create_sparse(ring_, kSlots);
  if (!table) {
    static_cast<void>(out_.cannot("register empty slots", table.error()));
    return;
  }
  claim_error(read_fixed(file_.get(), second(), 0, kSlot), EFAULT, "slot 2 is empty");
  if (const auto updated = table->update(kSlot, as_iovec(second())); !updated) {
    static_cast<void>(out_.cannot("fill a slot", updated.error()));
    return;
  }
  std::ranges::fill(second(), std::byte{0});
  if (const auto res = read_fixed(file_.get(), second(), 0, kSlot)) {
    out_.claim(*res == static_cast<std::int32_t>(kBufferBytes) && holds_pattern(second(), 0),
               "filled by an update, it reads %d bytes", *res);
  }
  if (const auto replaced = table->update(kSlot, as_iovec(first())); !replaced) {
    static_cast<void>(out_.cannot("replace the buffer of a slot", replaced.error()));
    return;
  }
  claim_error(read_fixed(file_.get(), second(), 0, kSlot), EFAULT,
              "replaced by another buffer, it no longer knows the old address");
  if (const auto cleared = table->update(kSlot, iovec{}); !cleared) {
    static_cast<void>(out_.cannot("empty a slot", cleared.error()));
    return;
  }
  claim_error(read_fixed(file_.get(), first(), 0, kSlot), EFAULT, "emptied, it is as at first");
  const auto beyond = table->update(kSlots, as_iovec(first()));
  out_.claim(!beyond && beyond.error().value == EINVAL, "slot %u of a table of %u: %s", kSlots,
             kSlots, beyond ? "taken" : beyond.error().name());
}

// --- past the page cache -------------------------------------------------------------------------

void FixedBuffers::direct_io() {
  out_.section("READ_FIXED with O_DIRECT");
  if (::fsync(file_.get()) != 0) {
    static_cast<void>(out_.cannot("write the file to its disk", base::last_error()));
    return;
  }
  const auto file = open_direct(path_);
  if (!file) {
    out_.say("Left out: %s.", file.error().c_str());
    return;
  }
  out_.say("%s: addresses in multiples of %u, offsets and lengths of %u.",
           file->alignment_stated ? "The kernel says what it needs (STATX_DIOALIGN)"
                                  : "The kernel does not say what it needs, so we take what suits "
                                    "every disk",
           file->memory_align, file->offset_align);
  const std::size_t size = std::max<std::size_t>(file->offset_align, 4096);
  auto aligned = uring::MappedRegion::anonymous(2 * size);  // page-aligned
  if (!aligned) {
    static_cast<void>(out_.cannot("map a buffer", aligned.error()));
    return;
  }
  const std::array buffers = {as_iovec(aligned->bytes())};
  const auto table = uring::RegisteredBuffers::create(ring_, buffers);
  if (!table) {
    static_cast<void>(out_.cannot("register a buffer", table.error()));
    return;
  }
  const std::span<std::byte> into = aligned->bytes().first(size);
  if (const auto res = read_fixed(file->fd.get(), into, 0, 0)) {
    out_.claim(*res == static_cast<std::int32_t>(size) && holds_pattern(into, 0),
               "from the disk into the pinned pages: %d bytes, the same ones", *res);
  }
  if (file->alignment_stated && file->memory_align > 1) {
    claim_error(read_fixed(file->fd.get(), aligned->bytes().subspan(1, size), 0, 0), EINVAL,
                "the same into an odd address, which is in the registered buffer");
  }
  if (file->alignment_stated && file->offset_align > 1) {
    claim_error(read_fixed(file->fd.get(), into, 1, 0), EINVAL, "the same from an odd offset");
  }
}

}  // namespace

Status lesson_fixed_buffers(const LessonContext& context) {
  Narrator out("fixed-buffers");
  const auto scratch = ScratchDirectory::create();
  if (!scratch) {
    return out.cannot("make a directory for the file", scratch.error());
  }
  const std::string path = scratch->path_of("file");
  base::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return out.cannot("make a file", base::last_error());
  }
  auto memory = uring::MappedRegion::anonymous(kMemoryBytes);
  if (!memory) {
    return out.cannot("map memory for the buffers", memory.error());
  }
  auto ring = uring::Ring::create({.sq_entries = 8, .trace = context.trace}, context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }
  FixedBuffers lesson(out, context, *ring, path, std::move(file), std::move(*memory));
  lesson.write_and_read();
  lesson.sparse_table();
  lesson.direct_io();
  return out.status();
}

}  // namespace m1
