#pragma once
// Pipes, through which a file gets to a socket without passing through our memory (--splice): SPLICE
// puts pages of the page cache into the pipe, a second SPLICE hands them to the socket. Nothing is
// copied on our side.
//
// A pipe is held by one answer until what is in it has been sent. One that still holds something when
// its answer is over is closed, and another one made when it is wanted.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/unique_fd.hpp"

namespace file_server {

using PipeId = std::uint16_t;
inline constexpr PipeId kNoPipe = 0xffff;

class PipePool {
 public:
  // At most `count` pipes; none is made yet.
  explicit PipePool(std::uint16_t count);

  // A pipe with nothing in it. Nothing if all are held, or no descriptor is left for one: then the
  // answer goes through a buffer.
  [[nodiscard]] std::optional<PipeId> acquire();
  void release(PipeId id, bool empty);

  [[nodiscard]] int read_end(PipeId id) const { return pipes_[id].read_end.get(); }
  [[nodiscard]] int write_end(PipeId id) const { return pipes_[id].write_end.get(); }
  // How many bytes of a file fit into it, in whole pages.
  [[nodiscard]] std::uint32_t capacity(PipeId id) const { return pipes_[id].capacity; }
  [[nodiscard]] std::uint16_t held() const { return held_; }
  [[nodiscard]] std::uint16_t size() const { return static_cast<std::uint16_t>(pipes_.size()); }

 private:
  struct Pipe {
    base::UniqueFd read_end;
    base::UniqueFd write_end;
    std::uint32_t capacity = 0;
  };
  [[nodiscard]] static bool make(Pipe& pipe);

  std::vector<Pipe> pipes_;
  std::vector<PipeId> free_;
  std::uint16_t held_ = 0;
};

}  // namespace file_server
