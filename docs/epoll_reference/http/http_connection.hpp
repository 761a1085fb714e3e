#pragma once
// One client of the file server. It is in one of these states, and in each of them it waits for one
// thing only:
//   reading a head        EPOLLIN
//   reading past a body   EPOLLIN; the head is held, the answer comes after the body
//   sending an answer     EPOLLOUT, if the socket takes no more; nothing is read meanwhile
//   its next turn         it had its share of this one: see HttpProtocol
//   ending                EPOLLOUT; nothing is read any more

#include <cstdint>
#include <string>

#include "common/http/body_skipper.hpp"
#include "common/http/request_parser.hpp"
#include "docs/epoll_reference/http/file_cache.hpp"
#include "docs/epoll_reference/http/input_buffer.hpp"
#include "docs/epoll_reference/server/connection.hpp"

namespace epoll_reference {

// What is still to be sent of a file, behind a head that says how much it is.
struct FileBody {
  FileUse file;
  FileVersion version;              // the head is about this one
  std::uint64_t version_at_ns = 0;  // the turn in which it was looked at last
  std::uint64_t offset = 0;
  std::uint64_t left = 0;
  bool by_sendfile = false;
};

struct HttpConnection : Connection {
  http::RequestParser parser;
  InputBuffer input;

  // Of a request with a body that is being read past.
  std::string held_head;
  http::BodySkipper skipper;

  FileBody body;

  bool blocked = false;         // watched for EPOLLOUT, else for EPOLLIN
  bool waits_for_turn = false;  // is in HttpProtocol's queue
};

}  // namespace epoll_reference
