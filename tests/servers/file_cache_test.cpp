// The cache of open files: what it finds, what it keeps, and when it notices that a file has changed.

#include "docs/epoll_reference/http/file_cache.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "docs/epoll_reference/http/open_beneath.hpp"

using base::UniqueFd;
using epoll_reference::FileCache;
using epoll_reference::FileUse;
using epoll_reference::Lookup;

namespace {

constexpr std::uint64_t kRecheckNs = 1000;

class FileCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "file_cache_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    std::filesystem::create_directory(folder_ + "/site");
    auto root = epoll_reference::open_root((folder_ + "/site").c_str());
    ASSERT_TRUE(root);
    root_ = std::move(*root);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return folder_ + "/site/" + name;
  }

  // Into the file that is there, or a new one.
  void write(const std::string& name, const std::string& content) const {
    const UniqueFd file(::open(path(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    ASSERT_EQ(::write(file.get(), content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
  }
  // As a new file in the place of the old one.
  void replace(const std::string& name, const std::string& content) const {
    write("new", content);
    ASSERT_EQ(::rename(path("new").c_str(), path(name).c_str()), 0);
  }
  void make_symlink(const std::string& target, const std::string& name) const {
    ASSERT_EQ(::symlink(target.c_str(), path(name).c_str()), 0);
  }

  [[nodiscard]] std::unique_ptr<FileCache> make_cache(std::size_t capacity) const {
    return std::make_unique<FileCache>(root_.get(), capacity, kRecheckNs);
  }

  std::string folder_;
  UniqueFd root_;
};

std::string content_of(const FileUse& file) {
  std::array<char, 100> bytes{};
  const ssize_t size = ::pread(file->fd.get(), bytes.data(), bytes.size(), 0);
  return size < 0 ? "unreadable" : std::string(bytes.data(), static_cast<std::size_t>(size));
}

Lookup lookup(FileCache& cache, std::string_view path, std::uint64_t now_ns = 0) {
  FileUse file;
  return cache.find(path, now_ns, file);
}

}  // namespace

TEST_F(FileCacheTest, FindsAFileAndWhatIsToBeSaidOfIt) {
  write("page.html", "hello");
  const auto cache = make_cache(4);
  FileUse file;
  ASSERT_EQ(cache->find("page.html", 0, file), Lookup::File);
  EXPECT_EQ(file->version.size, 5U);
  EXPECT_EQ(file->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(content_of(file), "hello");
  struct stat status {};
  ASSERT_EQ(::stat(path("page.html").c_str(), &status), 0);
  EXPECT_EQ(file->version.modified_s, status.st_mtim.tv_sec);
  EXPECT_EQ(file->version.modified_ns, status.st_mtim.tv_nsec);
}

TEST_F(FileCacheTest, OpensAFileOnce) {
  write("a", "1");
  const auto cache = make_cache(4);
  FileUse first;
  FileUse second;
  ASSERT_EQ(cache->find("a", 0, first), Lookup::File);
  ASSERT_EQ(cache->find("a", 1, second), Lookup::File);
  EXPECT_EQ(first->fd.get(), second->fd.get());
  EXPECT_EQ(cache->counters().cache_hits, 1U);
  EXPECT_EQ(cache->counters().cache_misses, 1U);
  EXPECT_EQ(cache->counters().files_open, 1U);
}

TEST_F(FileCacheTest, KeepsTheFilesThatWereUsedLast) {
  const auto cache = make_cache(2);
  for (const char* name : {"a", "b", "c"}) {
    write(name, name);
  }
  EXPECT_EQ(lookup(*cache, "a"), Lookup::File);
  EXPECT_EQ(lookup(*cache, "b"), Lookup::File);
  EXPECT_EQ(lookup(*cache, "a"), Lookup::File);  // now b is the oldest
  EXPECT_EQ(lookup(*cache, "c"), Lookup::File);
  EXPECT_EQ(cache->size(), 2U);
  EXPECT_EQ(cache->counters().files_open, 2U);
  EXPECT_EQ(cache->counters().cache_evictions, 1U);
  EXPECT_EQ(lookup(*cache, "a"), Lookup::File);
  EXPECT_EQ(cache->counters().cache_misses, 3U);  // a was still there
  EXPECT_EQ(lookup(*cache, "b"), Lookup::File);
  EXPECT_EQ(cache->counters().cache_misses, 4U);
}

TEST_F(FileCacheTest, StaysWithinItsBoundHoweverManyFilesThereAre) {
  const auto cache = make_cache(8);
  for (int i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i);
    write(name, name);
    EXPECT_EQ(lookup(*cache, name), Lookup::File);
    EXPECT_LE(cache->counters().files_open, 8U);
  }
  EXPECT_EQ(cache->counters().cache_evictions, 92U);
}

TEST_F(FileCacheTest, AnEvictedFileStaysOpenWhileItIsUsed) {
  write("a", "1");
  write("b", "2");
  const auto cache = make_cache(1);
  FileUse used;
  ASSERT_EQ(cache->find("a", 0, used), Lookup::File);
  EXPECT_EQ(lookup(*cache, "b"), Lookup::File);
  EXPECT_EQ(cache->counters().files_open, 2U);
  EXPECT_EQ(content_of(used), "1");
  used.reset();
  EXPECT_EQ(cache->counters().files_open, 1U);
}

TEST_F(FileCacheTest, WithoutCapacityEachUseHasAFileOfItsOwn) {
  write("a", "1");
  const auto cache = make_cache(0);
  FileUse first;
  FileUse second;
  ASSERT_EQ(cache->find("a", 0, first), Lookup::File);
  ASSERT_EQ(cache->find("a", 0, second), Lookup::File);
  EXPECT_EQ(cache->counters().files_open, 2U);
  first.reset();
  second.reset();
  EXPECT_EQ(cache->counters().files_open, 0U);
}

TEST_F(FileCacheTest, AFileThatIsWrittenToIsSeenInTheNextTurn) {
  write("a", "1");
  const auto cache = make_cache(4);
  EXPECT_EQ(lookup(*cache, "a", 0), Lookup::File);
  write("a", "longer");
  FileUse file;
  ASSERT_EQ(cache->find("a", 1, file), Lookup::File);
  EXPECT_EQ(file->version.size, 6U);
  EXPECT_EQ(cache->counters().cache_misses, 1U);
}

TEST_F(FileCacheTest, AFileThatAnotherWasRenamedOverIsReplacedInTheNextTurn) {
  write("a", "old");
  const auto cache = make_cache(4);
  FileUse old;
  ASSERT_EQ(cache->find("a", 0, old), Lookup::File);
  replace("a", "new one");
  FileUse now;
  ASSERT_EQ(cache->find("a", 1, now), Lookup::File);
  EXPECT_EQ(content_of(now), "new one");
  EXPECT_EQ(now->version.size, 7U);
  EXPECT_EQ(content_of(old), "old");  // for the answer that is under way
  EXPECT_EQ(cache->counters().cache_replaced, 1U);
  EXPECT_EQ(cache->counters().files_open, 2U);
  old.reset();
  EXPECT_EQ(cache->counters().files_open, 1U);
}

TEST_F(FileCacheTest, ASymlinkThatLeadsElsewhereIsNoticedAfterTheInterval) {
  write("one", "1");
  write("two", "2");
  make_symlink("one", "link");
  const auto cache = make_cache(4);
  EXPECT_EQ(lookup(*cache, "link", 0), Lookup::File);
  ASSERT_EQ(::unlink(path("link").c_str()), 0);
  make_symlink("two", "link");
  FileUse file;
  ASSERT_EQ(cache->find("link", kRecheckNs - 1, file), Lookup::File);
  EXPECT_EQ(content_of(file), "1");
  ASSERT_EQ(cache->find("link", kRecheckNs, file), Lookup::File);
  EXPECT_EQ(content_of(file), "2");
}

TEST_F(FileCacheTest, TheSameFileOpenedAgainIsStillTheOneThatIsKept) {
  write("a", "1");
  const auto cache = make_cache(4);
  FileUse file;
  ASSERT_EQ(cache->find("a", 0, file), Lookup::File);
  const int fd = file->fd.get();
  ASSERT_EQ(cache->find("a", 5 * kRecheckNs, file), Lookup::File);
  EXPECT_EQ(file->fd.get(), fd);
  EXPECT_EQ(cache->counters().cache_rechecks, 1U);
  EXPECT_EQ(cache->counters().cache_replaced, 0U);
  EXPECT_EQ(cache->counters().files_open, 1U);
}

TEST_F(FileCacheTest, AFileThatWasDeletedIsMissing) {
  write("a", "1");
  const auto cache = make_cache(4);
  EXPECT_EQ(lookup(*cache, "a", 0), Lookup::File);
  ASSERT_EQ(::unlink(path("a").c_str()), 0);
  EXPECT_EQ(lookup(*cache, "a", 1), Lookup::Missing);
  EXPECT_EQ(cache->size(), 0U);
  EXPECT_EQ(cache->counters().files_open, 0U);
}

TEST_F(FileCacheTest, WhatIsMissingIsAskedForAnew) {
  const auto cache = make_cache(4);
  EXPECT_EQ(lookup(*cache, "a"), Lookup::Missing);
  write("a", "1");
  EXPECT_EQ(lookup(*cache, "a"), Lookup::File);
}

TEST_F(FileCacheTest, SymlinksLeadNoFurtherThanTheRoot) {
  const UniqueFd secret(::open((folder_ + "/secret").c_str(), O_WRONLY | O_CREAT, 0600));
  write("inside", "1");
  make_symlink("inside", "in");
  make_symlink("../secret", "out");
  make_symlink(folder_ + "/site/inside", "absolute");
  make_symlink("..", "up");
  make_symlink("loop", "loop");
  make_symlink("/proc/self/cwd", "magic");
  const auto cache = make_cache(4);
  EXPECT_EQ(lookup(*cache, "in"), Lookup::File);
  EXPECT_EQ(lookup(*cache, "out"), Lookup::Missing);
  EXPECT_EQ(lookup(*cache, "absolute"), Lookup::Missing);
  EXPECT_EQ(lookup(*cache, "up/secret"), Lookup::Missing);
  EXPECT_EQ(lookup(*cache, "../secret"), Lookup::Missing);
  EXPECT_EQ(lookup(*cache, "/etc/passwd"), Lookup::Missing);
  EXPECT_EQ(lookup(*cache, "loop"), Lookup::Missing);
  EXPECT_EQ(lookup(*cache, "magic"), Lookup::Missing);
}

// By a test that waits for ever, if it were otherwise.
TEST_F(FileCacheTest, AFifoIsMissingAndIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const auto cache = make_cache(4);
  EXPECT_EQ(lookup(*cache, "fifo"), Lookup::Missing);
  EXPECT_EQ(cache->counters().files_open, 0U);
}

TEST_F(FileCacheTest, ASocketIsMissingAndAFolderIsAFolder) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(path("socket").size(), sizeof address.sun_path);
  path("socket").copy(address.sun_path, sizeof address.sun_path);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  std::filesystem::create_directory(path("folder"));
  const auto cache = make_cache(4);
  EXPECT_EQ(lookup(*cache, "socket"), Lookup::Missing);
  EXPECT_EQ(lookup(*cache, "folder"), Lookup::Folder);
  EXPECT_EQ(lookup(*cache, "folder/none"), Lookup::Missing);
}

TEST_F(FileCacheTest, NamesThatNoFileCanHaveAreMissing) {
  const auto cache = make_cache(4);
  EXPECT_EQ(lookup(*cache, std::string(300, 'n')), Lookup::Missing);
  EXPECT_EQ(lookup(*cache, std::string(10'000, 'n')), Lookup::Missing);
  write("a", "1");
  EXPECT_EQ(lookup(*cache, "a/b"), Lookup::Missing);
}

// A process of its own, since the limit counts the descriptors of the whole process.
TEST_F(FileCacheTest, WithoutDescriptorsItGivesUpWhatNobodyUses) {
  for (const char* name : {"a", "b", "c"}) {
    write(name, name);
  }
  const auto test = [this] {
    const auto cache = make_cache(4);
    FileUse used;
    bool good = cache->find("a", 0, used) == Lookup::File && lookup(*cache, "b") == Lookup::File;
    const UniqueFd probe(::dup(0));
    const auto next = static_cast<rlim_t>(probe.get());
    rlimit before{};
    good = good && ::getrlimit(RLIMIT_NOFILE, &before) == 0;
    const rlimit none_left{.rlim_cur = next + 1, .rlim_max = before.rlim_max};
    good = good && ::setrlimit(RLIMIT_NOFILE, &none_left) == 0;
    // b makes room, a is in use, and opened again it may stay as it is.
    good = good && lookup(*cache, "c", 1) == Lookup::File && cache->size() == 2;
    good = good && lookup(*cache, "a", 5 * kRecheckNs) == Lookup::File;
    FileUse all;
    good = good && cache->find("c", 5 * kRecheckNs, all) == Lookup::File;
    good = good && lookup(*cache, "b", 5 * kRecheckNs) == Lookup::Busy;
    // UBSan looks at objects through a pipe, and takes it for their fault if it gets none.
    good = ::setrlimit(RLIMIT_NOFILE, &before) == 0 && good;
    std::exit(good ? 0 : 1);
  };
  EXPECT_EXIT(test(), testing::ExitedWithCode(0), "");
}
