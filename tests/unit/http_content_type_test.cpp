#include <gtest/gtest.h>

#include "common/http/content_type.hpp"

namespace {

using http::content_type;

TEST(ContentType, FollowsFromTheSuffix) {
  EXPECT_EQ(content_type("index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type("a/b.c/INDEX.HTM"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type("x.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type("first.avif"), "image/avif") << "the first row";
  EXPECT_EQ(content_type("last.zip"), "application/zip") << "the last row";
  EXPECT_EQ(content_type("font.woff2"), "font/woff2");
  EXPECT_EQ(content_type("font.woff"), "font/woff");
}

TEST(ContentType, OtherNamesAreBytes) {
  for (const char* name : {"", "README", ".html", "a/.html", "x.html/y", "x.", "x.htmlx", "x.h",
                           "x.zzz", "x.a", "x.verylongsuffix", "html", "x.html "}) {
    EXPECT_EQ(content_type(name), "application/octet-stream") << name;
  }
}

}  // namespace
