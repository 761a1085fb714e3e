#include "m1_sq_cq/copy_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/support/cpu_clock.hpp"
#include "common/uring/denied.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

struct Source {
  base::UniqueFd fd;
  struct stat status;
  bool seeks;
};

// Follows symbolic links, and waits for the writer of a FIFO.
OrSentence<Source> open_source(const std::string& path) {
  Source source{.fd = base::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
                .status = {},
                .seeks = false};
  if (!source.fd.valid() || ::fstat(source.fd.get(), &source.status) != 0) {
    return std::unexpected(describe_failure("read", path, base::last_error()));
  }
  if (S_ISDIR(source.status.st_mode)) {
    return std::unexpected(describe_failure("read", path, base::Errno{EISDIR}));
  }
  source.seeks = ::lseek(source.fd.get(), 0, SEEK_CUR) != -1;
  return source;
}

// Empty: as far as the file system tells, it did not. Only a regular file with a size promises to
// stay as it is; the others are made up by the kernel as they are read.
std::string change_of(const Source& source, const std::string& path) {
  struct stat now {};
  const struct stat& then = source.status;
  if (!S_ISREG(then.st_mode) || then.st_size == 0 || ::fstat(source.fd.get(), &now) != 0) {
    return "";
  }
  if (now.st_size != then.st_size) {
    return text("'%s' changed while it was copied: it had %lld bytes, now it has %lld",
                path.c_str(), static_cast<long long>(then.st_size),
                static_cast<long long>(now.st_size));
  }
  if (now.st_mtim.tv_sec != then.st_mtim.tv_sec || now.st_mtim.tv_nsec != then.st_mtim.tv_nsec) {
    return "'" + path + "' was written to while it was copied";
  }
  return "";
}

std::string sentence_of(const CopyOutcome& outcome, const CopyRequest& request,
                        const std::string& destination) {
  switch (outcome.end) {
    case CopyEnd::ReadFailed:
      return describe_failure("read", request.source, outcome.error);
    case CopyEnd::WriteFailed:
      return describe_failure("write to", destination, outcome.error);
    case CopyEnd::RingFailed:
      return text("the ring cannot be entered any more: %s (%s)", outcome.error.name(),
                  outcome.error.message());
    case CopyEnd::Interrupted:
      return text("stopped by SIG%s", ::sigabbrev_np(outcome.signal));
    case CopyEnd::Done:
      break;
  }
  return "";
}

}  // namespace

OrSentence<CopyReport> copy_file(const CopyRequest& request, const uring::Features& features,
                                 support::Trace* trace) {
  const std::uint64_t wall_start = support::now_ns();
  const std::uint64_t cpu_start = support::process_cpu_ns();

  auto source = open_source(request.source);
  if (!source) {
    return std::unexpected(source.error());
  }
  auto destination = CopyDestination::find(request.destination, request.source, source->status);
  if (!destination) {
    return std::unexpected(destination.error());
  }
  // From here on a signal is a completion and no longer our end: there is something to tidy up.
  const auto signals = support::SignalSource::create({SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ});
  if (!signals) {
    return std::unexpected(text("cannot watch for signals: %s", signals.error().name()));
  }
  auto ring = uring::Ring::create(
      {.sq_entries = CopyEngine::sq_entries(request.blocks),
       .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN,
       .trace = trace},
      features);
  if (!ring) {
    return std::unexpected(uring::explain_setup_failure(ring.error()));
  }
  if (const auto begun = destination->begin(source->status); !begun) {
    return std::unexpected(begun.error());
  }
  std::uint64_t bytes_written = 0;
  const auto give_up = [&](const std::string& why) {
    const std::string left = destination->discard(bytes_written);
    // Their reason is in the sentence. Still there when the mask is restored, they would end us.
    while (signals->next()) {
    }
    return std::unexpected(why + ". " + left);
  };

  const bool any_order = S_ISREG(source->status.st_mode) && destination->takes_any_order();
  const auto size = static_cast<std::uint64_t>(source->status.st_size);
  auto engine = CopyEngine::create(*ring, *signals,
                                   {.source = source->fd.get(),
                                    .destination = destination->fd(),
                                    .known_bytes = any_order ? size : 0,
                                    .source_seeks = source->seeks,
                                    .destination_seeks = destination->seeks(),
                                    .block_bytes = request.block_bytes,
                                    .blocks = request.blocks});
  if (!engine) {
    return give_up(text("there is no memory for %u buffers of %u bytes each", request.blocks,
                        request.block_bytes));
  }
  support::ProgressBar progress("copying", S_ISREG(source->status.st_mode) ? size : 0);
  const CopyOutcome outcome = engine->run(progress);
  progress.erase();
  bytes_written = outcome.bytes;
  if (outcome.end != CopyEnd::Done) {
    return give_up(sentence_of(outcome, request, destination->path()));
  }

  CopyReport report{.destination = destination->path(),
                    .destination_is_stdout = destination->is_stdout(),
                    .bytes = outcome.bytes,
                    .counts = outcome.counts,
                    .source_changed = change_of(*source, request.source)};
  if (outcome.wrote_beyond_end) {
    if (const auto cut = destination->cut(outcome.bytes); !cut) {
      return give_up(cut.error());
    }
  }
  if (const auto committed = destination->commit(); !committed) {
    return give_up(committed.error());
  }
  report.wall_ns = support::now_ns() - wall_start;
  report.cpu_ns = support::process_cpu_ns() - cpu_start;
  return report;
}

}  // namespace m1
