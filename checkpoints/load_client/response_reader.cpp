#include "checkpoints/load_client/response_reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/support/quantity.hpp"

namespace load_client {
namespace {

constexpr std::size_t kLongestHead = 16 << 10;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool has_token(std::string_view list, std::string_view token) {
  while (true) {
    const std::string_view part = list.substr(0, list.find(','));
    if (equals_ignoring_case(without_blanks(part), token)) {
      return true;
    }
    if (part.size() == list.size()) {
      return false;
    }
    list.remove_prefix(part.size() + 1);
  }
}

bool is_decimal(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

struct Head {
  std::optional<std::int64_t> content_length;
  bool closes = false;
  const char* problem = nullptr;
};

void read_status_line(std::string_view line, Head& head) {
  if (!line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.0 ")) {
    head.problem = "the response does not begin with HTTP/1.1";
    return;
  }
  head.closes = line.starts_with("HTTP/1.0 ");
  const std::string_view status = line.substr(9, 3);
  if (status.size() != 3 || !is_decimal(status) || (line.size() > 12 && line[12] != ' ')) {
    head.problem = "the status line has no status of three digits";
  } else if (status != "200") {
    head.problem = "the status is not 200";
  }
}

void read_field(std::string_view line, Head& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || line.find_first_of(" \t") < colon) {
    head.problem = "a line of the head is no field";
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = without_blanks(line.substr(colon + 1));
  if (equals_ignoring_case(name, "content-length")) {
    const auto length =
        is_decimal(value) ? support::parse_quantity(value, support::kNoUnit) : std::nullopt;
    if (!length || (head.content_length && *head.content_length != *length)) {
      head.problem = "the Content-Length has not one meaning";
    }
    head.content_length = length;
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    head.problem = "it has a Transfer-Encoding, which is not read here";
  } else if (equals_ignoring_case(name, "connection")) {
    head.closes = has_token(value, "close") || (head.closes && !has_token(value, "keep-alive"));
  }
}

Head parse_head(std::string_view text) {
  Head head;
  text.remove_suffix(2);  // the empty line; each other one ends with CR LF
  bool is_first = true;
  while (!text.empty() && head.problem == nullptr) {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      head.problem = "a line of the head does not end with CR LF";
    } else {
      is_first ? read_status_line(line, head) : read_field(line, head);
    }
    is_first = false;
    text.remove_prefix(end + 2);
  }
  if (head.problem == nullptr && !head.content_length) {
    head.problem = "it has no Content-Length";
  }
  return head;
}

}  // namespace

ResponseReader::Step ResponseReader::step(std::span<const std::byte>& data, Answer& answer,
                                          bool head_only) {
  if (in_body_) {
    return read_body(data, answer);
  }
  const std::string_view head = take_head(data);
  if (head.empty()) {
    return head_.size() > kLongestHead ? bad("the head does not end") : Step::NeedsMore;
  }
  const Step step = read_head(head, answer, head_only);
  if (step == Step::NeedsMore && in_body_) {
    return read_body(data, answer);
  }
  return step;
}

void ResponseReader::reset() {
  head_.clear();
  head_is_spent_ = false;
  in_body_ = false;
  closes_ = false;
}

std::string_view ResponseReader::take_head(std::span<const std::byte>& data) {
  if (head_is_spent_) {
    head_.clear();
    head_is_spent_ = false;
  }
  const std::string_view text = as_text(data);
  if (head_.empty()) [[likely]] {
    if (const std::size_t end = text.find(kEndOfHead); end != std::string_view::npos) [[likely]] {
      data = data.subspan(end + kEndOfHead.size());
      return text.substr(0, end + kEndOfHead.size());
    }
  }
  const std::size_t old_size = head_.size();
  head_.append(text.substr(0, kLongestHead + 1));
  const std::size_t overlap = std::min(old_size, kEndOfHead.size() - 1);
  const std::size_t end = head_.find(kEndOfHead, old_size - overlap);
  if (end == std::string::npos) {
    data = {};
    return {};
  }
  head_.resize(end + kEndOfHead.size());
  data = data.subspan(head_.size() - old_size);
  head_is_spent_ = true;
  return head_;
}

ResponseReader::Step ResponseReader::read_head(std::string_view head, Answer& answer,
                                               bool head_only) {
  if (head == answer.head) [[likely]] {
    closes_ = answer.head_closes;
  } else {
    const Head parsed = parse_head(head);
    if (parsed.problem != nullptr) {
      return bad(parsed.problem);
    }
    const auto length = static_cast<std::uint64_t>(*parsed.content_length);
    if (answer.content_length.value_or(length) != length) {
      problem_ = "the Content-Length is another one than expected";
      return Step::WrongBytes;
    }
    answer.content_length = length;
    closes_ = parsed.closes;
    answer.head_closes = parsed.closes;
    answer.head = head;
  }
  if (head_only || answer.content_length == 0) {
    return Step::Done;
  }
  in_body_ = true;
  body_size_ = *answer.content_length;
  body_read_ = 0;
  return Step::NeedsMore;
}

ResponseReader::Step ResponseReader::read_body(std::span<const std::byte>& data, Answer& answer) {
  const std::size_t size = std::min<std::uint64_t>(data.size(), body_size_ - body_read_);
  const std::span<const std::byte> piece = data.first(size);
  data = data.subspan(size);
  const std::size_t known = std::min<std::uint64_t>(size, answer.body.size() - body_read_);
  if (known > 0 && std::memcmp(piece.data(), answer.body.data() + body_read_, known) != 0) {
    problem_ = "the body is another one than expected";
    return Step::WrongBytes;
  }
  if (known < size) [[unlikely]] {
    answer.body.insert(answer.body.end(), piece.begin() + static_cast<std::ptrdiff_t>(known),
                       piece.end());
  }
  body_read_ += size;
  if (body_read_ < body_size_) {
    return Step::NeedsMore;
  }
  in_body_ = false;
  return Step::Done;
}

ResponseReader::Step ResponseReader::bad(const char* problem) {
  problem_ = problem;
  return Step::BadResponse;
}

}  // namespace load_client
