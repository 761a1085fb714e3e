// A file through the ring, several blocks at a time.
//
//   copy_engine       the blocks, their requests and completions: the part about io_uring
//   copy_destination  what is written to, and what is left of it after a failure
//   copy_file         one file, from name to name
//   copy.cpp          the command, and the copies that it makes without arguments
//
// What must hold: the destination has the source's bytes and is complete, or the exit status is 1
// and a sentence says what went wrong and what is left.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "common/support/format_bytes.hpp"
#include "common/support/options.hpp"
#include "common/support/write_all.hpp"
#include "m1_sq_cq/copy_file.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/scratch_directory.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

double seconds(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

std::string summary_of(const CopyReport& report) {
  const double rate = static_cast<double>(report.bytes) / std::max(seconds(report.wall_ns), 1e-9);
  return text("%s in %.3f s (%s/s), CPU %.3f s", support::format_bytes(report.bytes).c_str(),
              seconds(report.wall_ns),
              support::format_bytes(static_cast<std::uint64_t>(rate)).c_str(),
              seconds(report.cpu_ns));
}

std::string counts_of(const CopyCounts& counts) {
  return text(
      "%llu reads and %llu writes in %llu system calls, at most %u at once; "
      "%llu short reads and %llu short writes resumed",
      static_cast<unsigned long long>(counts.reads), static_cast<unsigned long long>(counts.writes),
      static_cast<unsigned long long>(counts.enters), counts.most_in_flight,
      static_cast<unsigned long long>(counts.short_reads),
      static_cast<unsigned long long>(counts.short_writes));
}

std::vector<char> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Bytes that do not repeat with any block: the state of a small generator (xorshift).
std::vector<std::byte> unlike_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  std::uint32_t state = 2463534242;
  for (std::byte& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

base::Result<void> write_file(const std::string& path, std::span<const std::byte> bytes) {
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return file.valid() ? support::write_all(file.get(), bytes) : base::fail(base::last_error());
}

void copy_ordinary_file(Narrator& out, const LessonContext& context, const std::string& source,
                        const std::string& destination) {
  const auto report =
      copy_file({.source = source, .destination = destination}, context.features, context.trace);
  if (!out.claim(report.has_value(), "the copy went through%s%s", report ? "" : ": ",
                 report ? "" : report.error().c_str())) {
    return;
  }
  out.say("%s", summary_of(*report).c_str());
  out.say("%s.", counts_of(report->counts).c_str());
  out.claim(contents(source) == contents(destination), "both files have the same %s, byte for byte",
            support::format_bytes(report->bytes).c_str());
  out.claim(report->counts.most_in_flight > 1, "up to %u blocks were on their way at once",
            report->counts.most_in_flight);
}

void copy_file_without_size(Narrator& out, const LessonContext& context,
                            const std::string& destination) {
  const std::string source = "/proc/version";
  struct stat status {};
  if (::stat(source.c_str(), &status) != 0) {
    out.say("There is no %s here, so this is left out.", source.c_str());
    return;
  }
  out.claim(status.st_size == 0, "stat says that %s has %lld bytes", source.c_str(),
            static_cast<long long>(status.st_size));
  const auto report =
      copy_file({.source = source, .destination = destination}, context.features, context.trace);
  if (!out.claim(report.has_value(), "the copy went through%s%s", report ? "" : ": ",
                 report ? "" : report.error().c_str())) {
    return;
  }
  out.claim(report->bytes > 0 && contents(source) == contents(destination),
            "it has %llu bytes, and all of them were copied: one block alone reads on until the "
            "kernel says 0",
            static_cast<unsigned long long>(report->bytes));
}

void copy_to_full_device(Narrator& out, const LessonContext& context, const std::string& source) {
  const auto report =
      copy_file({.source = source, .destination = "/dev/full"}, context.features, context.trace);
  if (out.claim(!report.has_value(), "a copy to /dev/full fails")) {
    out.claim(report.error().find("ENOSPC") != std::string::npos, "it says: %s",
              report.error().c_str());
  }
}

// Without arguments: copies of files made for it.
Status demonstrate(const LessonContext& context) {
  Narrator out("copy");
  const auto scratch = ScratchDirectory::create();
  if (!scratch) {
    return out.cannot("make a directory for the copies", scratch.error());
  }
  // No multiple of any block size, so that the last block is a short one.
  const std::vector<std::byte> bytes = unlike_bytes((5 << 20) + 12345);
  const std::string source = scratch->path_of("source");
  if (const auto written = write_file(source, bytes); !written) {
    return out.cannot("write a file to copy", written.error());
  }
  out.section("A file of %s", support::format_bytes(bytes.size()).c_str());
  out.say(
      "Each block reads its part of the file and then writes it; meanwhile the other blocks do "
      "the same with theirs. A read or write that moved fewer bytes is resumed where it ended.");
  copy_ordinary_file(out, context, source, scratch->path_of("copy"));
  out.section("A file without a size");
  copy_file_without_size(out, context, scratch->path_of("version"));
  out.section("A destination without room");
  copy_to_full_device(out, context, source);
  out.say("Your own files: m1_sq_cq copy SRC DST");
  return out.status();
}

}  // namespace

Status lesson_copy(const LessonContext& context) {
  if (context.args.empty()) {
    return demonstrate(context);
  }
  CopyRequest request;
  const support::Options options(
      "m1_sq_cq copy", "Copies a file through the ring: any file, byte for byte.",
      {support::Option::positional("SRC", &request.source, "what to copy"),
       support::Option::positional("DST", &request.destination,
                                   "where to: a file, a device, or a directory to put it into"),
       support::Option::size("block-size", &request.block_bytes, 1, 64 << 20,
                             "bytes per read and write"),
       support::Option::integer("depth", &request.blocks, 1, 256, "blocks in flight at once")});
  std::vector<const char*> words = {"m1_sq_cq copy"};
  words.insert(words.end(), context.args.begin(), context.args.end());
  if (const auto status = options.parse_main(static_cast<int>(words.size()), words.data())) {
    return Status{*status};
  }

  const auto report = copy_file(request, context.features, context.trace);
  if (!report) {
    std::fprintf(stderr, "m1_sq_cq copy: %s\n", report.error().c_str());
    return Status::Failed;
  }
  std::FILE* const talk = report->destination_is_stdout ? stderr : stdout;
  std::fprintf(talk, "%s -> %s: %s\n%s\n", request.source.c_str(), report->destination.c_str(),
               summary_of(*report).c_str(), counts_of(report->counts).c_str());
  if (!report->source_changed.empty()) {
    std::fprintf(stderr, "m1_sq_cq copy: %s: '%s' is there, but may mix the two states\n",
                 report->source_changed.c_str(), report->destination.c_str());
    return Status::Failed;
  }
  return Status::Ok;
}

}  // namespace m1
