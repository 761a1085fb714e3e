#include <sys/stat.h>

#include <cerrno>

#include <gtest/gtest.h>

#include "common/http/lookup.hpp"

namespace {

using http::Lookup;
using http::Status;

Lookup of_error(int error) {
  return http::lookup_of(base::Errno{error});
}

TEST(Lookup, OfAnError) {
  for (const int error : {ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EXDEV, ENXIO, ENODEV}) {
    EXPECT_EQ(of_error(error), Lookup::Missing) << base::Errno{error}.name();
  }
  for (const int error : {EACCES, EPERM}) {
    EXPECT_EQ(of_error(error), Lookup::Forbidden) << base::Errno{error}.name();
  }
  for (const int error : {EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, ECANCELED}) {
    EXPECT_EQ(of_error(error), Lookup::Busy) << base::Errno{error}.name();
  }
  EXPECT_EQ(of_error(EIO), Lookup::Failed);
}

TEST(Lookup, OfAMode) {
  EXPECT_EQ(http::lookup_of(mode_t{S_IFREG | 0644}), Lookup::File);
  EXPECT_EQ(http::lookup_of(mode_t{S_IFDIR | 0755}), Lookup::Folder);
  EXPECT_EQ(http::lookup_of(mode_t{S_IFIFO | 0644}), Lookup::Missing);
  EXPECT_EQ(http::lookup_of(mode_t{S_IFCHR | 0666}), Lookup::Missing);
}

TEST(Lookup, HasAStatus) {
  EXPECT_EQ(http::status_of(Lookup::Folder), Status::NotFound);
  EXPECT_EQ(http::status_of(Lookup::Missing), Status::NotFound);
  EXPECT_EQ(http::status_of(Lookup::Forbidden), Status::Forbidden);
  EXPECT_EQ(http::status_of(Lookup::Busy), Status::ServiceUnavailable);
  EXPECT_EQ(http::status_of(Lookup::Failed), Status::InternalServerError);
}

}  // namespace
