#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/http/target_path.hpp"

namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view path;
  std::string_view
      result;  // the name, a slash behind it if the path says that it is a folder; or a status
};

constexpr Case kCases[] = {
    {"/", "./"},
    {"/a", "a"},
    {"/a/b.txt", "a/b.txt"},
    {"/a/", "a/"},

    // Empty segments.
    {"//", "./"},
    {"///etc/passwd", "etc/passwd"},
    {"/a//b", "a/b"},
    {"/a//", "a/"},

    // Dots that stay inside.
    {"/.", "./"},
    {"/./", "./"},
    {"/a/.", "a/"},
    {"/a/./b", "a/b"},
    {"/./a", "a"},
    {"/a/..", "./"},
    {"/a/../b", "b"},
    {"/a/b/..", "a/"},
    {"/a/b/../c", "a/c"},
    {"/a/b/../../c/", "c/"},
    {"/a/b/%2e%2e/c", "a/c"},
    {"/a/%2E./b", "b"},
    {"/%2e/a", "a"},
    {"/a//../b", "b"},

    // Names that only look like dots.
    {"/...", "..."},
    {"/..a", "..a"},
    {"/a..", "a.."},
    {"/.a", ".a"},
    {"/.. ", ".. "},
    {"/..%20", ".. "},
    {"/..;/a", "..;/a"},
    {"/%252e%252e/a", "%2e%2e/a"},
    {"/..\\..\\a", "..\\..\\a"},
    {"/..%5c..%5ca", "..\\..\\a"},
    {"/%c0%ae%c0%ae/a", "\xc0\xae\xc0\xae/a"},
    {"/%u002e%u002e/a", "400"},

    // Escapes from the root, in all spellings.
    {"/..", "400"},
    {"/../", "400"},
    {"/../etc/passwd", "400"},
    {"/../../../../etc/passwd", "400"},
    {"/./../a", "400"},
    {"//../a", "400"},
    {"/a/../../b", "400"},
    {"/a/../../a/b", "400"},
    {"/%2e%2e/a", "400"},
    {"/%2E%2E/a", "400"},
    {"/.%2e/a", "400"},
    {"/%2e./a", "400"},
    {"/a/%2e%2e/%2e%2e/b", "400"},

    // A slash inside a name.
    {"/..%2fetc%2fpasswd", "404"},
    {"/%2e%2e%2fetc", "404"},
    {"/a%2fb", "404"},
    {"/%2F", "404"},
    {"/%2fetc/passwd", "404"},

    // NUL and what is no escape.
    {"/a%00", "400"},
    {"/a%00.txt", "400"},
    {"/%00/../a", "400"},
    {"/a\0b"sv, "400"},
    {"/%", "400"},
    {"/%2", "400"},
    {"/a%2/b", "400"},
    {"/%g0", "400"},
    {"/%0g", "400"},
    {"/%%41", "400"},
    {"/% 1", "400"},
    {"/%-1", "400"},

    // Decoded once, whatever it is.
    {"/%41%62", "Ab"},
    {"/a%20b", "a b"},
    {"/a+b", "a+b"},
    {"/%25", "%"},
    {"/%2541", "%41"},
    {"/%ff\xfe", "\xff\xfe"},
    {"/%0d%0a", "\r\n"},
    {"/a%3fb", "a?b"},
};

std::string decoded(std::string_view path, std::span<char> buffer) {
  const auto result = http::decode_target_path(path, buffer);
  if (!result) {
    return std::to_string(static_cast<int>(result.error()));
  }
  EXPECT_EQ(result->name.data()[result->name.size()], '\0') << "a C string for openat2";
  return std::string(result->name) + (result->ends_with_slash ? "/" : "");
}

TEST(TargetPath, IsDecodedAsTheTableSays) {
  for (const Case& item : kCases) {
    std::vector<char> buffer(item.path.size() + 2, '?');  // not a byte more than promised
    EXPECT_EQ(decoded(item.path, buffer), item.result) << item.path;
  }
}

TEST(TargetPath, ABufferThatIsTooSmallIsNotOverrun) {
  for (const std::string_view path : {"/abc/def"sv, "/abc/../d"sv, "/"sv, "/a%41"sv}) {
    std::vector<char> large(path.size() + 2);
    const std::string whole = decoded(path, large);
    for (std::size_t size = 0; size < large.size(); ++size) {
      std::vector<char> small(size);
      const std::string result = decoded(path, small);
      EXPECT_TRUE(result == "414" || result == whole) << result;
    }
    std::vector<char> none;
    EXPECT_EQ(decoded(path, none), "414");
  }
}

std::string index_of(std::string_view folder) {
  std::vector<char> buffer(folder.size() + http::kIndexBytes,
                           '?');  // not a byte more than promised
  const std::string_view path = http::index_path(folder, buffer);
  EXPECT_EQ(path.data()[path.size()], '\0') << "a C string for openat2";
  return std::string(path);
}

TEST(IndexPath, IsTheIndexInTheFolder) {
  EXPECT_EQ(index_of("."), "index.html") << "the root is no part of a name";
  EXPECT_EQ(index_of("docs"), "docs/index.html");
  EXPECT_EQ(index_of("a/b.c"), "a/b.c/index.html");
}

TEST(IndexPath, FollowsWhatWasDecoded) {
  std::array<char, 100> decoded{};
  const auto path = http::decode_target_path("/a%20b/", decoded);
  ASSERT_TRUE(path);
  EXPECT_EQ(index_of(path->name), "a b/index.html");
}

TEST(IndexPathDeathTest, NeedsItsRoom) {
  std::array<char, 3 + http::kIndexBytes> buffer{};
  EXPECT_EQ(http::index_path("abc", buffer), "abc/index.html");
  EXPECT_DEATH((void)http::index_path("abcd", buffer), "the caller has room");
}

std::string location(std::string_view name, std::string_view query = "") {
  std::array<char, 100> buffer{};
  return std::string(http::folder_location(name, query, buffer));
}

TEST(FolderLocation, IsTheNameEncodedAnew) {
  EXPECT_EQ(location("docs"), "/docs/");
  EXPECT_EQ(location("a/b", "?x=%41"), "/a/b/?x=%41");
  EXPECT_EQ(location("a b?c#d%e"), "/a%20b%3Fc%23d%25e/");
  EXPECT_EQ(location("\xc3\xa4~-._!$&'()*+,;=:@"), "/%C3%A4~-._!$&'()*+,;=:@/");
}

// A browser takes "\" for "/": neither may bring it to another host, nor may a line end get
// through.
TEST(FolderLocation, LeadsNowhereElse) {
  std::array<char, 100> buffer{};
  const auto path = http::decode_target_path("//evil.example/../docs", buffer);
  ASSERT_TRUE(path);
  EXPECT_EQ(location(path->name), "/docs/");
  EXPECT_EQ(location("\\evil.example"), "/%5Cevil.example/");
  EXPECT_EQ(location("a\r\nSet-Cookie: b"), "/a%0D%0ASet-Cookie:%20b/");
}

TEST(FolderLocation, IsEmptyIfItDoesNotFit) {
  std::array<char, 8> buffer{};
  EXPECT_EQ(http::folder_location("a%", "?b", buffer), "/a%25/?b");
  EXPECT_EQ(http::folder_location("a%", "?bc", buffer), "");
  EXPECT_EQ(http::folder_location("a%%", "?", buffer), "");
  EXPECT_EQ(http::folder_location("abcdefg", "", buffer), "");
}

}  // namespace
