// m1_sq_cq: the rings by hand, in lessons. Without arguments it runs all of them in order; see
// --help. Each lesson is a file of its own here; lessons.cpp lists them in reading order.
//
// What must hold: exit status 0 means that every claim that was printed held on this kernel, 1 that
// one did not (or that something failed), 2 that it could not start: a wrong option, or a kernel that
// lacks or denies what was asked for.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "common/base/errno.hpp"
#include "common/support/trace.hpp"
#include "common/uring/features.hpp"
#include "m1_sq_cq/command_line.hpp"
#include "m1_sq_cq/lesson.hpp"
#include "m1_sq_cq/print_trace.hpp"

namespace {

using m1::Status;

Status complain(Status status, const std::string& sentence) {
  std::fprintf(stderr, "m1_sq_cq: %s\n", sentence.c_str());
  return status;
}

// A program started with a closed stdout would get the number 1 for the first thing that it opens,
// a ring perhaps, and print into that. O_PATH: taken, but neither readable nor writable, so that the
// first write fails and is reported.
void occupy_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) {
      (void)::open("/dev/null", O_PATH);
    }
  }
}

// Whoever reads us may stop reading (`m1_sq_cq | head`): then there is nobody left to tell.
bool stdout_is_gone() {
  return std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
}

// The reason was lost with the print that failed: one more shows it again.
base::Errno stdout_error() {
  std::clearerr(stdout);
  std::putchar('\n');
  std::fflush(stdout);
  return base::last_error();
}

Status run_lesson(const m1::Lesson& lesson, const m1::LessonContext& context) {
  if (lesson.arguments.empty() && !context.args.empty()) {
    const std::string name(lesson.name);
    const std::string argument = context.args.front();
    if (argument == "--help" || argument == "-h") {
      std::printf("usage: m1_sq_cq %s\n%s\n", name.c_str(), std::string(lesson.summary).c_str());
      return Status::Ok;
    }
    return complain(
        Status::CannotStart,
        "the lesson '" + name + "' takes no arguments, but was given '" + argument + "'");
  }
  return lesson.run(context);
}

// "2 of 12 lessons went wrong: errors, peek"
Status tour_summary(std::size_t total, const std::vector<std::string>& failed) {
  std::printf("\n== the end of the tour ==\n\n");
  if (failed.empty()) {
    std::printf("%zu lessons, and everything was as they claim.\n", total);
    return Status::Ok;
  }
  std::string names;
  for (const std::string& name : failed) {
    names += (names.empty() ? "" : ", ") + name;
  }
  std::printf("%zu of %zu lessons did not go as they claim: %s\n", failed.size(), total,
              names.c_str());
  return Status::Failed;
}

Status run_tour(const m1::LessonContext& context) {
  std::size_t total = 0;
  std::vector<std::string> failed;
  for (const m1::Lesson& lesson : m1::lessons()) {
    if (lesson.run_in_tour == nullptr) {
      continue;
    }
    ++total;
    const std::string name(lesson.name);
    std::printf("%s== %s ==\n\n", total == 1 ? "" : "\n\n", name.c_str());
    if (lesson.run_in_tour(context) != Status::Ok) {
      failed.push_back(name);
    }
    if (stdout_is_gone()) {
      break;
    }
  }
  return tour_summary(total, failed);
}

Status run_with_ring(const m1::CommandLine& command_line) {
  const m1::Lesson* lesson = nullptr;
  if (!command_line.command.empty()) {
    lesson = m1::find_lesson(command_line.command);
    if (lesson == nullptr) {
      return complain(Status::CannotStart, m1::unknown_lesson(command_line.command));
    }
  }
  const auto features = uring::detect_features_or_explain();
  if (!features) {
    return complain(Status::CannotStart, features.error());
  }
  std::optional<support::Trace> trace;
  if (!command_line.trace_path.empty()) {
    auto opened = support::Trace::open(command_line.trace_path.c_str());
    if (!opened) {
      return complain(Status::CannotStart, "cannot write the trace '" + command_line.trace_path +
                                               "': " + opened.error().message());
    }
    trace.emplace(std::move(*opened));
  }

  std::vector<const char*> args;
  for (const std::string& argument : command_line.args) {
    args.push_back(argument.c_str());
  }
  const m1::LessonContext context{
      .features = *features, .trace = trace ? &*trace : nullptr, .args = args};
  const Status status = lesson != nullptr ? run_lesson(*lesson, context) : run_tour(context);
  if (trace) {
    if (const auto flushed = trace->flush(); !flushed) {
      return complain(Status::Failed, "the trace '" + command_line.trace_path +
                                          "' is not complete: " + flushed.error().message());
    }
  }
  return status;
}

Status run(const m1::CommandLine& command_line) {
  if (command_line.help) {
    std::fputs(m1::help_text().c_str(), stdout);
    return Status::Ok;
  }
  if (command_line.command == "list") {
    std::fputs(m1::lesson_list().c_str(), stdout);
    return Status::Ok;
  }
  if (command_line.command == "trace") {
    if (command_line.args.size() != 1) {
      return complain(Status::CannotStart, "`m1_sq_cq trace FILE` needs the file of one trace");
    }
    const auto printed = m1::print_trace(command_line.args.front());
    return printed ? Status::Ok : complain(Status::Failed, printed.error());
  }
  return run_with_ring(command_line);
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  ::signal(SIGPIPE, SIG_IGN);  // a write to a closed pipe is an EPIPE for us, not the end
  // Line by line, also into a pipe: under strace the story and the system calls stay in order.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);

  const auto command_line = m1::parse_command_line(argc, argv);
  Status status =
      command_line ? run(*command_line) : complain(Status::CannotStart, command_line.error());
  if (stdout_is_gone()) {
    const base::Errno error = stdout_error();
    if (error.value != EPIPE) {
      (void)complain(Status::Failed, std::string("cannot write to stdout: ") + error.message());
    }
    status = status == Status::Ok ? Status::Failed : status;
  }
  return static_cast<int>(status);
}
