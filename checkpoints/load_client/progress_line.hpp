#pragma once
// One line on the terminal (stderr) that says how far the run is, and is gone at its end. Nothing
// at all if stderr is no terminal.

#include <string>

namespace load_client {

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  [[nodiscard]] bool is_shown() const { return is_on_terminal_; }
  void show(const std::string& text);
  void erase();

 private:
  bool is_on_terminal_;
  bool is_drawn_ = false;
};

}  // namespace load_client
