#pragma once
// What a request's head said, as far as a server of files cares.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace http {

enum class Method : std::uint8_t { Get, Head, Other };

// A minor version above 1 counts as 1.1: by RFC 9110 (section 2.5) it is a superset of it.
enum class Version : std::uint8_t { Http10, Http11 };

// The views lead into the buffer that RequestParser::parse() was last called with: good as long as
// its bytes stay where they are.
struct Request {
  Method method = Method::Other;
  Version version = Version::Http11;
  std::string_view method_text;
  std::string_view target;  // as it was sent
  // For GET and HEAD the target in its two parts, still percent-encoded, whichever form it had:
  // the path begins with "/" always, the query with "?" unless it is empty.
  std::string_view path;
  std::string_view query;
  // The authority of an absolute target, else the Host field. Only a 1.0 request can lack both.
  std::string_view host;
  bool has_host = false;

  // May the connection go on after the answer (and after the body)? From the version, Connection,
  // and two cases in which nobody can know where the next request begins: a body that waits for a
  // "100 Continue" (we send none, so it may or may not come), and CONNECT.
  bool keep_alive = false;
  bool expect_continue = false;

  std::optional<std::uint64_t> content_length;
  bool chunked = false;

  // Values of fields that came exactly once. One that came twice has an empty value, which no rule
  // accepts: it is there, but says nothing.
  std::optional<std::string_view> if_modified_since;
  std::optional<std::string_view> if_range;
  std::optional<std::string_view> range;
  bool has_if_none_match = false;

  std::size_t header_count = 0;

  // Do bytes of this request follow its head? Then a BodySkipper reads past them.
  [[nodiscard]] bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

}  // namespace http
