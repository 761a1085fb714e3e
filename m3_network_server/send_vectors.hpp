#pragma once
// The heads and the lists of pieces of SENDMSG requests.
//
// KERNEL(5.5): both are copied when the request is submitted (IORING_FEAT_SUBMIT_STABLE), so they
// need not live until it completes. When that is, the submission queue knows: an SQE's place is
// handed out again only after the kernel has taken what was in it. So there is one head and one list
// for each place in the queue, under the place's own index, and nobody has to say when they are free,
// whether a turn is submitted in one go or in three.

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace network_server {

class SendVectors {
 public:
  // For a submission queue of so many entries (a power of two), with up to `most_pieces` in a request.
  // The memory is touched when it is used first.
  SendVectors(std::uint32_t sq_entries, std::uint16_t most_pieces)
      : mask_(sq_entries - 1),
        most_pieces_(most_pieces),
        heads_(std::make_unique_for_overwrite<msghdr[]>(sq_entries)),
        pieces_(std::make_unique_for_overwrite<iovec[]>(std::size_t{sq_entries} * most_pieces)) {}

  // The list of the SQE with this free-running index, for the caller to fill.
  [[nodiscard]] std::span<iovec> pieces(std::uint32_t sqe_index) {
    const std::size_t place = sqe_index & mask_;
    return {&pieces_[place * most_pieces_], most_pieces_};
  }

  // Its head, with the first `count` of those pieces.
  [[nodiscard]] const msghdr* head(std::uint32_t sqe_index, std::size_t count) {
    msghdr& head = heads_[sqe_index & mask_];
    head = {};
    head.msg_iov = pieces(sqe_index).data();
    head.msg_iovlen = count;
    return &head;
  }

 private:
  std::uint32_t mask_;
  std::uint16_t most_pieces_;
  std::unique_ptr<msghdr[]> heads_;
  std::unique_ptr<iovec[]> pieces_;
};

}  // namespace network_server
