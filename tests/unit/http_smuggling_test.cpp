// What a second reader of the same bytes might take for another request, and what is no HTTP at
// all.

#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/http/request_parser.hpp"

namespace {

using namespace std::string_view_literals;

struct Attempt {
  const char* name;
  std::string_view bytes;
  int status;  // 200: nothing is wrong with it
};

// clang-format off
constexpr Attempt kAttempts[] = {
    // The controls: what is refused below is refused for one difference from these.
    {"good_get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 200},
    {"good_post", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"sv, 200},
    {"good_chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"sv, 200},
    {"good_http10", "GET / HTTP/1.0\r\n\r\n"sv, 200},
    {"good_one_empty_line_before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 200},
    {"good_no_space_behind_the_colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n"sv, 200},
    {"good_tab_behind_the_colon", "GET / HTTP/1.1\r\nHost:\ta \r\n\r\n"sv, 200},
    {"good_empty_value", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n"sv, 200},
    {"good_raw_utf8_in_the_target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 200},

    // Two lengths, or one that is not clear.
    {"content_length_twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"sv, 400},
    {"content_length_twice_the_same", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"sv, 400},
    {"content_length_zero_twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"sv, 400},
    {"content_length_list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"sv, 400},
    {"content_length_plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"sv, 400},
    {"content_length_minus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"sv, 400},
    {"content_length_hex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"sv, 400},
    {"content_length_fraction", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\n"sv, 400},
    {"content_length_space_inside", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n"sv, 400},
    {"content_length_form_feed", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \f5\r\n\r\n"sv, 400},
    {"content_length_empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"sv, 400},
    {"content_length_overflow", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n"sv, 400},
    {"content_length_quoted", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \"5\"\r\n\r\n"sv, 400},
    {"length_then_chunked", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"sv, 400},
    {"chunked_then_length", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"sv, 400},
    {"length_zero_and_chunked", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"sv, 400},

    // Transfer-Encoding in disguise.
    {"chunked_twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"sv, 400},
    {"chunked_then_identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"sv, 400},
    {"chunked_in_http10", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"sv, 400},
    {"chunked_chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"sv, 501},
    {"identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"sv, 501},
    {"gzip_chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv, 501},
    {"xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"sv, 501},
    {"chunked_quoted", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"sv, 501},
    {"chunked_comma", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n"sv, 501},
    {"chunked_with_parameter", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;x=1\r\n\r\n"sv, 501},
    {"transfer_encoding_empty", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"sv, 501},
    {"vertical_tab_before_chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n"sv, 400},
    {"space_before_the_colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"sv, 400},
    {"tab_before_the_colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n"sv, 400},
    {"nul_in_the_name", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\0: chunked\r\n\r\n"sv, 400},
    {"high_byte_in_the_name", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\xa0: chunked\r\n\r\n"sv, 400},

    // Ends of lines.
    {"bare_lf_behind_the_request_line", "GET / HTTP/1.1\nHost: a\r\n\r\n"sv, 400},
    {"bare_lf_behind_a_field", "GET / HTTP/1.1\r\nHost: a\n\r\n"sv, 400},
    {"bare_lf_at_the_end", "GET / HTTP/1.1\r\nHost: a\r\n\n"sv, 400},
    {"bare_lf_before", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"bare_lf_only", "GET / HTTP/1.1\nHost: a\n\n"sv, 400},
    {"bare_cr_in_a_value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n"sv, 400},
    {"bare_cr_in_the_request_line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"cr_cr_lf", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"sv, 400},
    {"cr_cr_lf_behind_the_request_line", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"sv, 400},
    {"two_empty_lines_before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"folded_with_space", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"sv, 400},
    {"folded_with_tab", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n"sv, 400},
    {"folded_first_field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"sv, 400},
    {"line_of_a_space", "GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n"sv, 400},

    // Names and values.
    {"empty_name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"sv, 400},
    {"no_colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"sv, 400},
    {"space_in_the_name", "GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n"sv, 400},
    {"bracket_in_the_name", "GET / HTTP/1.1\r\nHost: a\r\nX[]: z\r\n\r\n"sv, 400},
    {"nul_in_a_value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"sv, 400},
    {"escape_in_a_value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x1b[2J\r\n\r\n"sv, 400},
    {"delete_in_a_value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"sv, 400},

    // Host.
    {"no_host", "GET / HTTP/1.1\r\n\r\n"sv, 400},
    {"no_host_with_absolute_target", "GET http://a/ HTTP/1.1\r\n\r\n"sv, 400},
    {"two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"sv, 400},
    {"two_hosts_the_same", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"sv, 400},
    {"two_hosts_in_http10", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"sv, 400},
    {"host_empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n"sv, 400},
    {"host_list", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"sv, 400},
    {"host_with_space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"sv, 400},
    {"host_with_user", "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"sv, 400},
    {"host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"sv, 400},
    {"host_with_word_for_port", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n"sv, 400},
    {"host_with_two_ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"sv, 400},
    {"host_with_long_port", "GET / HTTP/1.1\r\nHost: a:080808\r\n\r\n"sv, 400},
    {"host_is_a_port", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"sv, 400},
    {"host_bracket_open", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"sv, 400},
    {"host_bracket_empty", "GET / HTTP/1.1\r\nHost: []\r\n\r\n"sv, 400},
    {"host_bracket_and_more", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"sv, 400},
    {"host_bracket_with_a_name", "GET / HTTP/1.1\r\nHost: [a.example]\r\n\r\n"sv, 400},
    {"good_host_ipv6", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n"sv, 200},
    {"good_host_port_empty", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"sv, 200},

    // The request line.
    {"two_spaces_before_the_target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"two_spaces_behind_the_target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"space_in_the_target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"tab_for_space", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"tab_in_the_target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"space_before_the_method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"space_behind_the_version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"sv, 400},
    {"nul_in_the_target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"fragment_in_the_target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"no_token_for_method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"no_method", "/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"no_target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"no_target_but_its_spaces", "GET  HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"no_version", "GET /\r\n\r\n"sv, 400},
    {"method_alone", "GET\r\n\r\n"sv, 400},
    {"asterisk_with_get", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"authority_with_get", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"relative_target", "GET index.html HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"absolute_target_of_another_scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"absolute_target_without_host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"absolute_target_with_user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"absolute_target_of_one_slash", "GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"tls_client_hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n"sv, 400},

    // Versions.
    {"lower_case_http", "GET / http/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"http_1", "GET / HTTP/1\r\nHost: a\r\n\r\n"sv, 400},
    {"http_1_1_1", "GET / HTTP/1.1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"http_1_10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"sv, 400},
    {"http_01_1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n"sv, 400},
    {"http_comma", "GET / HTTP/1,1\r\nHost: a\r\n\r\n"sv, 400},
    {"http_letter", "GET / HTTP/1.x\r\nHost: a\r\n\r\n"sv, 400},
    {"http_0_9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"sv, 505},
    {"http_2_0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"sv, 505},
    {"http_3_0", "GET / HTTP/3.0\r\nHost: a\r\n\r\n"sv, 505},
    {"http_2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, 505},
};
// clang-format on

void PrintTo(const Attempt& attempt, std::ostream* out) {
  *out << attempt.name;
}

class Smuggling : public testing::TestWithParam<Attempt> {};

TEST_P(Smuggling, IsAnsweredAsTheTableSays) {
  http::RequestParser parser;
  const auto state = parser.parse(GetParam().bytes);
  if (GetParam().status == 200) {
    EXPECT_EQ(state, http::ParseState::Complete);
    EXPECT_EQ(parser.head_bytes(), GetParam().bytes.size());
  } else {
    ASSERT_EQ(state, http::ParseState::Error);
    EXPECT_EQ(static_cast<int>(parser.error()), GetParam().status);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Smuggling, testing::ValuesIn(kAttempts),
                         [](const auto& item) { return std::string(item.param.name); });

}  // namespace
