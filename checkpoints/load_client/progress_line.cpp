#include "checkpoints/load_client/progress_line.hpp"

#include <unistd.h>

#include <span>

#include "common/support/write_all.hpp"

namespace load_client {
namespace {

void write_to_terminal(const std::string& text) {
  // A terminal that has gone away is no reason to end the run.
  (void)support::write_all(STDERR_FILENO, std::as_bytes(std::span(text)));
}

constexpr const char* kEraseLine = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine() : is_on_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  erase();
}

void ProgressLine::show(const std::string& text) {
  if (is_on_terminal_) {
    write_to_terminal(kEraseLine + text);
    is_drawn_ = true;
  }
}

void ProgressLine::erase() {
  if (is_drawn_) {
    write_to_terminal(kEraseLine);
    is_drawn_ = false;
  }
}

}  // namespace load_client
