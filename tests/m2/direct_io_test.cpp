// The alignment that O_DIRECT asks for.

#include "m2_file_server/direct_io.hpp"

#include <fcntl.h>
#include <sys/vfs.h>

#include <array>
#include <cstdint>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "tests/m2/site.hpp"

using base::UniqueFd;
using file_server::direct_alignment;

TEST(DirectAlignment, WithoutODirectAnyOffsetWillDo) {
  const m2_test::Site site;
  site.write("file", "x");
  const UniqueFd fd(::open(site.path("file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(direct_alignment(fd.get()), 1U);
  EXPECT_EQ(direct_alignment(-1), 1U);
}

TEST(DirectAlignment, WithItReadsOfThatAlignmentAreTaken) {
  const m2_test::Site site;
  site.write("file", m2_test::some_bytes(20'000));
  const UniqueFd fd(::open(site.path("file").c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!fd.valid()) {
    GTEST_SKIP() << "this filesystem refuses O_DIRECT";
  }
  const std::uint32_t alignment = direct_alignment(fd.get());
  EXPECT_LE(alignment, 4096U);
  EXPECT_EQ(alignment & (alignment - 1), 0U);
  alignas(4096) std::array<char, 4096> bytes{};
  EXPECT_EQ(::pread(fd.get(), bytes.data(), 4096, alignment), 4096);
}
