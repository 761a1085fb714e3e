#pragma once
// One client of the file server. It is in one of these states:
//
//   ReadingHead    a RECV is in flight
//   SkippingBody   the same; the head is held, the answer comes after the body
//   Opening        an OPENAT2 is in flight for the file it has asked for
//   Answering      READs and one SEND are in flight, or it waits: for a buffer, or (blocked) until
//                  the socket takes more. Nothing is received meanwhile: a client that asks faster
//                  than it reads is stopped by its own socket.

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/http/body_skipper.hpp"
#include "common/http/request_parser.hpp"
#include "common/http/response_head.hpp"
#include "common/server/connection.hpp"
#include "common/server/room_wait.hpp"
#include "common/server/slot_list.hpp"
#include "m2_file_server/file_table.hpp"
#include "m2_file_server/input.hpp"
#include "m2_file_server/pipe_pool.hpp"
#include "m2_file_server/transfer.hpp"

namespace file_server {

// The file changed, or could not be read, before anything of the answer was sent: another answer is
// possible, as soon as the reads that are in flight have ended.
enum class Redo : std::uint8_t {
  No,
  Anew,      // the file is another one now
  AsBusy,    // it was another one each time: 503
  AsFailed,  // it cannot be read: 500
};

// Of an answer that goes through a pipe.
struct Splice {
  PipeId pipe = kNoPipe;
  std::uint32_t in_pipe = 0;  // bytes
  std::uint64_t offset = 0;   // in the file, of the next byte that goes into the pipe
  std::uint64_t to_read = 0;  // bytes
  std::uint32_t asked = 0;    // of the last step into the pipe
  std::int32_t fill_res = 0;  // and how it ended
  std::uint8_t retries = 0;

  [[nodiscard]] bool done() const { return in_pipe == 0 && to_read == 0; }
};

struct FileConnection : server::Connection {
  FileConnection() = default;

  enum class State : std::uint8_t { ReadingHead, SkippingBody, Opening, Answering };
  State state = State::ReadingHead;

  // Operations in flight.
  bool receiving = false;
  bool sending = false;
  server::RoomWait room;  // blocked: the socket is full
  std::uint16_t reads_in_flight = 0;

  // The request.
  http::RequestParser parser;
  Input input;
  std::string held_head;  // of a request with a body
  http::BodySkipper skipper;

  // The file it has asked for, while that is being opened.
  std::string opening_path;
  bool opening_direct = false;
  std::uint8_t open_attempts = 0;

  // The answer. What is sent first is `text`: an answer without a file, the head of one through a
  // pipe, or what was unsent of a head when its buffer was taken back. Then the transfer's pieces, of
  // which the first gets the head, or what comes through the pipe.
  std::string text;
  std::size_t text_sent = 0;
  http::ResponseHead head;
  bool head_written = false;
  bool closes_after = false;
  Redo redo = Redo::No;
  std::uint8_t redone = 0;
  FileUse file;
  FileVersion version;  // the head is about this one
  Transfer transfer;
  Splice splice;

  server::SlotLink link;  // waits for a buffer, or is blocked and holds some

  [[nodiscard]] bool text_waits() const { return text_sent < text.size(); }
  // All of the file, if there is one, was given to the socket.
  [[nodiscard]] bool body_done() const { return transfer.done() && splice.done(); }
};

}  // namespace file_server
