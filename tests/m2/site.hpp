#pragma once
// A folder of files for a test, removed behind it.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"

namespace m2_test {

class Site {
 public:
  Site() : folder_(testing::TempDir() + "m2_test_XXXXXX") {
    CHECK(::mkdtemp(folder_.data()) != nullptr);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  ~Site() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + '/' + name; }

  // Into the file that is there, or a new one.
  void write(const std::string& name, const std::string& content) const {
    const base::UniqueFd file(
        ::open(path(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    CHECK(::write(file.get(), content.data(), content.size()) ==
          static_cast<ssize_t>(content.size()));
  }
  // As a new file in the place of the old one.
  void replace(const std::string& name, const std::string& content) const {
    write(name + ".new", content);
    CHECK(::rename(path(name + ".new").c_str(), path(name).c_str()) == 0);
  }
  void remove(const std::string& name) const { CHECK(::unlink(path(name).c_str()) == 0); }
  void truncate(const std::string& name, off_t size) const {
    CHECK(::truncate(path(name).c_str(), size) == 0);
  }

 private:
  std::string folder_;
};

// Bytes in which no two places look alike.
[[nodiscard]] inline std::string some_bytes(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, ' ');
  std::ranges::generate(bytes, [&] { return static_cast<char>(random()); });
  return bytes;
}

}  // namespace m2_test
