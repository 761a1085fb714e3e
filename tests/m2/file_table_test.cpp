// The open files: what is found, kept, given up and noticed, with real files and a real ring's table.

#include "m2_file_server/file_table.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "tests/m2/site.hpp"

namespace {

using base::UniqueFd;
using file_server::FileTable;
using file_server::FileUse;
using file_server::FileVersion;
using file_server::kNoPlace;
using file_server::Lookup;

constexpr std::uint64_t kRecheckNs = 1000;

class FileTableTest : public testing::Test {
 protected:
  void SetUp() override { make(4); }

  void make(std::size_t capacity, bool direct = false) {
    table_.reset();
    table_.emplace(nullptr, file_server::FileTableOptions{
                                .capacity = capacity, .recheck_ns = kRecheckNs, .direct = direct});
  }

  [[nodiscard]] base::Result<UniqueFd> open(const std::string& name, int flags = 0) const {
    const int fd = ::open(site_.path(name).c_str(), O_RDONLY | O_CLOEXEC | flags);
    if (fd == -1) {
      return base::fail(base::last_error());
    }
    return UniqueFd(fd);
  }

  // Both halves of a lookup.
  Lookup look_up(const std::string& name, FileUse& file, std::uint64_t now_ns = 0) {
    ++batch_;
    return table_->find(name, batch_, now_ns, file)
               ? Lookup::File
               : table_->opened(name, open(name), ++batch_, now_ns, file);
  }
  Lookup look_up(const std::string& name, std::uint64_t now_ns = 0) {
    FileUse file;
    return look_up(name, file, now_ns);
  }

  m2_test::Site site_;
  std::optional<FileTable> table_;
  std::uint64_t batch_ = 0;
};

std::string content_of(const FileUse& file) {
  std::array<char, 100> bytes{};
  const ssize_t size = ::pread(file->fd.get(), bytes.data(), bytes.size(), 0);
  return size < 0 ? "unreadable" : std::string(bytes.data(), static_cast<std::size_t>(size));
}

}  // namespace

TEST_F(FileTableTest, FindsAFileAndWhatIsToBeSaidOfIt) {
  site_.write("page.html", "hello");
  FileUse file;
  EXPECT_FALSE(table_->find("page.html", 1, 0, file));
  EXPECT_FALSE(file);
  ASSERT_EQ(table_->opened("page.html", open("page.html"), 2, 0, file), Lookup::File);
  struct stat status {};
  ASSERT_EQ(::stat(site_.path("page.html").c_str(), &status), 0);
  EXPECT_EQ(file->version, (FileVersion{.size = 5,
                                        .modified_s = status.st_mtim.tv_sec,
                                        .modified_ns = status.st_mtim.tv_nsec}));
  EXPECT_EQ(file->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(file->alignment, 1U);
  EXPECT_EQ(file->place, kNoPlace) << "there is no table of places";
  EXPECT_EQ(content_of(file), "hello");
}

TEST_F(FileTableTest, AFileIsOpenedOnce) {
  site_.write("a", "1");
  FileUse first;
  FileUse second;
  ASSERT_EQ(look_up("a", first), Lookup::File);
  EXPECT_TRUE(table_->find("a", ++batch_, 1, second));
  EXPECT_EQ(&*first, &*second);
  EXPECT_EQ(table_->counters().cache_hits, 1U);
  EXPECT_EQ(table_->counters().cache_misses, 1U);
  EXPECT_EQ(table_->counters().files_open, 1U);
}

TEST_F(FileTableTest, TwoWhoOpenTheSameFileAtOnceGetTheSame) {
  site_.write("a", "1");
  FileUse first;
  FileUse second;
  ASSERT_FALSE(table_->find("a", 1, 0, first));
  ASSERT_FALSE(table_->find("a", 1, 0, second));
  ASSERT_EQ(table_->opened("a", open("a"), 2, 0, first), Lookup::File);
  ASSERT_EQ(table_->opened("a", open("a"), 2, 0, second), Lookup::File);
  EXPECT_EQ(&*first, &*second);
  EXPECT_EQ(table_->counters().files_open, 1U);
}

// --- what is kept ---------------------------------------------------------------------------------------

TEST_F(FileTableTest, KeepsTheFilesThatWereUsedLast) {
  make(2);
  for (const char* name : {"a", "b", "c"}) {
    site_.write(name, name);
  }
  for (const char* name : {"a", "b", "a", "c"}) {  // when c comes, b is the oldest
    EXPECT_EQ(look_up(name), Lookup::File);
  }
  EXPECT_EQ(table_->cached(), 2U);
  EXPECT_EQ(table_->counters().files_open, 2U);
  EXPECT_EQ(table_->counters().cache_evictions, 1U);
  EXPECT_EQ(table_->counters().cache_misses, 3U);
  EXPECT_EQ(look_up("a"), Lookup::File);
  EXPECT_EQ(table_->counters().cache_misses, 3U);
  EXPECT_EQ(look_up("b"), Lookup::File);
  EXPECT_EQ(table_->counters().cache_misses, 4U);
}

TEST_F(FileTableTest, StaysWithinItsBoundHoweverManyFilesThereAre) {
  for (int i = 0; i < 100; ++i) {
    site_.write(std::to_string(i), "x");
    EXPECT_EQ(look_up(std::to_string(i)), Lookup::File);
    EXPECT_LE(table_->counters().files_open, 4U);
  }
  EXPECT_EQ(table_->counters().cache_evictions, 96U);
}

TEST_F(FileTableTest, WhatIsInUseIsNotEvicted) {
  make(2);
  for (const char* name : {"a", "b", "c", "d"}) {
    site_.write(name, name);
  }
  FileUse a;
  ASSERT_EQ(look_up("a", a), Lookup::File);
  EXPECT_EQ(look_up("b"), Lookup::File);
  EXPECT_EQ(look_up("c"), Lookup::File);  // b goes, though a is older
  FileUse still;
  EXPECT_TRUE(table_->find("a", ++batch_, 0, still));
  FileUse c;
  ASSERT_TRUE(table_->find("c", ++batch_, 0, c));
  // Nothing can be evicted now: this one is used and not kept.
  FileUse d;
  ASSERT_EQ(look_up("d", d), Lookup::File);
  EXPECT_EQ(content_of(d), "d");
  EXPECT_EQ(table_->cached(), 2U);
  EXPECT_EQ(table_->counters().files_open, 3U);
  d.reset();
  EXPECT_EQ(table_->counters().files_open, 2U);
  EXPECT_FALSE(table_->evict_one());
}

TEST_F(FileTableTest, OneCanBeGivenUpForItsDescriptor) {
  site_.write("a", "a");
  site_.write("b", "b");
  EXPECT_FALSE(table_->evict_one()) << "there is none";
  FileUse a;
  ASSERT_EQ(look_up("a", a), Lookup::File);
  ASSERT_EQ(look_up("b"), Lookup::File);
  EXPECT_TRUE(table_->evict_one());
  EXPECT_FALSE(table_->find("b", ++batch_, 0, a));
}

TEST_F(FileTableTest, WithoutCapacityEachUseHasAFileOfItsOwn) {
  make(0);
  site_.write("a", "1");
  FileUse first;
  FileUse second;
  ASSERT_EQ(look_up("a", first), Lookup::File);
  ASSERT_EQ(look_up("a", second), Lookup::File);
  EXPECT_EQ(table_->counters().files_open, 2U);
  first.reset();
  second.reset();
  EXPECT_EQ(table_->counters().files_open, 0U);
}

TEST_F(FileTableTest, AUseCanBeCopiedAndMoved) {
  site_.write("a", "1");
  make(0);
  FileUse first;
  ASSERT_EQ(look_up("a", first), Lookup::File);
  FileUse copy = first;
  FileUse moved = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move)
  copy = FileUse();
  EXPECT_EQ(table_->counters().files_open, 1U);
  moved.reset();
  moved.reset();
  EXPECT_EQ(table_->counters().files_open, 0U);
}

// --- what is noticed ----------------------------------------------------------------------------------------

TEST_F(FileTableTest, AFileIsLookedAtOnceInABatch) {
  site_.write("a", "1");
  FileUse file;
  ASSERT_EQ(look_up("a", file), Lookup::File);
  const std::uint64_t batch = batch_;
  site_.write("a", "longer");
  EXPECT_EQ(FileTable::version(*file, batch)->size, 1U) << "known in this batch";
  FileUse again;
  EXPECT_TRUE(table_->find("a", batch, 0, again));
  EXPECT_EQ(again->version.size, 1U);
  EXPECT_EQ(FileTable::version(*file, batch + 1)->size, 6U);
  site_.write("a", "longer than that");
  EXPECT_TRUE(table_->find("a", batch + 1, 0, again));
  EXPECT_EQ(again->version.size, 6U);
  EXPECT_TRUE(table_->find("a", batch + 2, 0, again));
  EXPECT_EQ(again->version.size, 16U);
  EXPECT_EQ(table_->counters().cache_misses, 1U) << "it is the same file";
}

TEST_F(FileTableTest, AFileThatIsCutHasAnotherVersion) {
  site_.write("a", "123456");
  FileUse file;
  ASSERT_EQ(look_up("a", file), Lookup::File);
  const FileVersion before = file->version;
  site_.truncate("a", 3);
  const auto after = FileTable::version(*file, ++batch_);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->size, 3U);
  EXPECT_NE(*after, before);
}

TEST_F(FileTableTest, AFileThatAnotherWasRenamedOverIsReplacedAndUsesKeepTheOldOne) {
  site_.write("a", "old");
  FileUse old;
  ASSERT_EQ(look_up("a", old), Lookup::File);
  site_.replace("a", "new one");
  FileUse now;
  ASSERT_EQ(look_up("a", now), Lookup::File);
  EXPECT_EQ(content_of(now), "new one");
  EXPECT_EQ(now->version.size, 7U);
  EXPECT_EQ(content_of(old), "old");
  EXPECT_EQ(old->version.size, 3U);
  EXPECT_EQ(table_->counters().cache_replaced, 1U);
  EXPECT_EQ(table_->counters().files_open, 2U);
  old.reset();
  EXPECT_EQ(table_->counters().files_open, 1U);
}

TEST_F(FileTableTest, AFileThatWasRemovedIsMissing) {
  site_.write("a", "1");
  EXPECT_EQ(look_up("a"), Lookup::File);
  site_.remove("a");
  EXPECT_EQ(look_up("a"), Lookup::Missing);
  EXPECT_EQ(table_->cached(), 0U);
  EXPECT_EQ(table_->counters().files_open, 0U);
  site_.write("a", "back");
  FileUse file;
  EXPECT_EQ(look_up("a", file), Lookup::File);
  EXPECT_EQ(content_of(file), "back");
}

// A hard link keeps the old file its name, so only opening the path again can tell.
TEST_F(FileTableTest, APathThatLeadsElsewhereIsNoticedAfterTheInterval) {
  site_.write("a", "1");
  FileUse file;
  ASSERT_EQ(look_up("a", file, 5), Lookup::File);
  std::filesystem::create_hard_link(site_.path("a"), site_.path("kept"));
  site_.replace("a", "2");
  EXPECT_TRUE(table_->find("a", ++batch_, 5 + kRecheckNs - 1, file));
  EXPECT_EQ(content_of(file), "1");
  EXPECT_FALSE(table_->find("a", ++batch_, 5 + kRecheckNs, file));
  EXPECT_EQ(table_->opened("a", open("a"), ++batch_, 5 + kRecheckNs, file), Lookup::File);
  EXPECT_EQ(content_of(file), "2");
  EXPECT_EQ(table_->counters().cache_rechecks, 1U);
  EXPECT_EQ(table_->counters().cache_replaced, 1U);
}

TEST_F(FileTableTest, OneOpensThePathAgainAndTheOthersGoOn) {
  site_.write("a", "1");
  FileUse first;
  ASSERT_EQ(look_up("a", first), Lookup::File);
  FileUse second;
  EXPECT_FALSE(table_->find("a", ++batch_, kRecheckNs, second));
  EXPECT_TRUE(table_->find("a", batch_, kRecheckNs, second));
  EXPECT_TRUE(table_->find("a", batch_, 9 * kRecheckNs, second));
  EXPECT_EQ(table_->opened("a", open("a"), ++batch_, 9 * kRecheckNs, second), Lookup::File);
  EXPECT_EQ(&*first, &*second) << "it is the same file";
  EXPECT_TRUE(table_->find("a", ++batch_, 10 * kRecheckNs - 1, second));
  EXPECT_FALSE(table_->find("a", ++batch_, 10 * kRecheckNs, second)) << "and so on";
  EXPECT_EQ(table_->counters().cache_replaced, 0U);
  EXPECT_EQ(table_->opened("a", open("a"), batch_, 10 * kRecheckNs, second), Lookup::File);
}

TEST_F(FileTableTest, WithoutADescriptorToSpareTheKnownFileStays) {
  site_.write("a", "1");
  ASSERT_EQ(look_up("a"), Lookup::File);
  for (const int error : {EMFILE, ENFILE, ENOMEM}) {
    FileUse file;
    ++batch_;
    const std::uint64_t now_ns = static_cast<std::uint64_t>(error) * kRecheckNs * 100;
    ASSERT_FALSE(table_->find("a", batch_, now_ns, file));
    EXPECT_EQ(table_->opened("a", base::fail(error), batch_, now_ns, file), Lookup::File);
    EXPECT_EQ(content_of(file), "1");
    EXPECT_EQ(table_->cached(), 1U);
  }
}

TEST_F(FileTableTest, APathThatIsGoneWhenItIsOpenedAgainIsForgotten) {
  site_.write("a", "1");
  FileUse used;
  ASSERT_EQ(look_up("a", used), Lookup::File);
  FileUse file;
  ASSERT_FALSE(table_->find("a", ++batch_, kRecheckNs, file));
  EXPECT_EQ(table_->opened("a", base::fail(ENOENT), batch_, kRecheckNs, file), Lookup::Missing);
  EXPECT_EQ(table_->cached(), 0U);
  EXPECT_EQ(content_of(used), "1");
  EXPECT_EQ(table_->counters().cache_replaced, 1U);
}

TEST_F(FileTableTest, ARecheckWhoseFileWasEvictedMeanwhileIsAMiss) {
  make(1);
  site_.write("a", "1");
  site_.write("b", "2");
  ASSERT_EQ(look_up("a"), Lookup::File);
  FileUse file;
  ASSERT_FALSE(table_->find("a", ++batch_, kRecheckNs, file));
  ASSERT_EQ(look_up("b"), Lookup::File);
  EXPECT_EQ(table_->opened("a", open("a"), ++batch_, kRecheckNs, file), Lookup::File);
  EXPECT_EQ(content_of(file), "1");
  EXPECT_EQ(table_->counters().files_open, 1U);
}

// --- what is no file ------------------------------------------------------------------------------------------

TEST_F(FileTableTest, WhatIsNoFileIsNotKept) {
  std::filesystem::create_directory(site_.path("folder"));
  ASSERT_EQ(::mkfifo(site_.path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(look_up("folder"), Lookup::Folder);
  FileUse file;
  EXPECT_EQ(table_->opened("fifo", open("fifo", O_NONBLOCK), 1, 0, file), Lookup::Missing);
  EXPECT_EQ(look_up("missing"), Lookup::Missing);
  EXPECT_EQ(look_up("missing"), Lookup::Missing);
  EXPECT_EQ(table_->counters().cache_misses, 3U) << "asked for anew every time";
  EXPECT_EQ(table_->counters().files_open, 0U);
}

TEST_F(FileTableTest, EachErrorOfOpeningHasItsMeaning) {
  const auto meaning = [&](int error) {
    FileUse file;
    return table_->opened("a", base::fail(error), ++batch_, 0, file);
  };
  for (const int error : {ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EXDEV, ENXIO, ENODEV}) {
    EXPECT_EQ(meaning(error), Lookup::Missing) << error;
  }
  for (const int error : {EACCES, EPERM}) {
    EXPECT_EQ(meaning(error), Lookup::Forbidden) << error;
  }
  for (const int error : {EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, ECANCELED}) {
    EXPECT_EQ(meaning(error), Lookup::Busy) << error;
  }
  for (const int error : {EIO, EINVAL, ESTALE}) {
    EXPECT_EQ(meaning(error), Lookup::Failed) << error;
  }
}

TEST_F(FileTableTest, TheReportNamesWhatIsOpenUpToALimit) {
  site_.write("a", "12345");
  FileUse file;
  ASSERT_EQ(look_up("a", file), Lookup::File);
  EXPECT_EQ(table_->as_text(), "file table\nslot  uses  size  path\n-  1  5  a\n");
  file.reset();
  make(100);
  for (int i = 0; i < 100; ++i) {
    site_.write(std::to_string(i), "x");
    ASSERT_EQ(look_up(std::to_string(i)), Lookup::File);
  }
  EXPECT_EQ(std::ranges::count(table_->as_text(), '\n'), 66);
}

// --- places in the ring's table ---------------------------------------------------------------------------------

class FilePlacesTest : public FileTableTest {
 protected:
  static constexpr std::uint32_t kPlaces = 2;

  void SetUp() override {
    const auto features = uring::Features::detect();
    ASSERT_TRUE(features);
    auto ring = uring::Ring::create({}, *features);
    ASSERT_TRUE(ring);
    ring_.emplace(std::move(*ring));
    auto places = uring::RegisteredFiles::create_sparse(*ring_, kPlaces);
    ASSERT_TRUE(places);
    places_.emplace(std::move(*places));
    table_.emplace(&*places_,
                   file_server::FileTableOptions{.capacity = kPlaces, .recheck_ns = kRecheckNs});
    for (const char* name : {"a", "b", "c"}) {
      site_.write(name, name);
    }
  }
  void TearDown() override {
    table_.reset();
    places_.reset();
  }

  // What a READ from this place gives: the file that the kernel has there.
  [[nodiscard]] std::string read_from(std::int32_t place) {
    std::array<std::byte, 100> bytes{};
    uring::io_uring_sqe* sqe = ring_->next_sqe();
    uring::prep_read(*sqe, place, bytes, 0);
    sqe->flags |= uring::IOSQE_FIXED_FILE;
    EXPECT_TRUE(ring_->submit_and_wait(1));
    std::array<uring::io_uring_cqe, 1> cqe{};
    EXPECT_EQ(ring_->reap(cqe), 1U);
    return cqe[0].res < 0 ? base::Errno{-cqe[0].res}.name()
                          : std::string(reinterpret_cast<const char*>(bytes.data()),
                                        static_cast<std::size_t>(cqe[0].res));
  }

  std::optional<uring::Ring> ring_;
  std::optional<uring::RegisteredFiles> places_;
};

TEST_F(FilePlacesTest, AFileIsAtItsPlace) {
  FileUse a;
  FileUse b;
  ASSERT_EQ(look_up("a", a), Lookup::File);
  ASSERT_EQ(look_up("b", b), Lookup::File);
  EXPECT_EQ(read_from(a->place), "a");
  EXPECT_EQ(read_from(b->place), "b");
  EXPECT_EQ(table_->counters().files_registered, 2U);
}

TEST_F(FilePlacesTest, AFileThatIsGivenUpLeavesItsPlaceEmpty) {
  FileUse a;
  ASSERT_EQ(look_up("a", a), Lookup::File);
  const std::int32_t place = a->place;
  a.reset();
  EXPECT_EQ(read_from(place), "a");
  ASSERT_TRUE(table_->evict_one());
  EXPECT_EQ(read_from(place), "EBADF");
  EXPECT_EQ(table_->counters().files_registered, 0U);
}

TEST_F(FilePlacesTest, APlaceIsNotGivenAwayWhileTheFileIsUsed) {
  FileUse a;
  FileUse b;
  ASSERT_EQ(look_up("a", a), Lookup::File);
  ASSERT_EQ(look_up("b", b), Lookup::File);
  // Both leave the cache, and stay where they are.
  site_.replace("a", "new a");
  site_.replace("b", "new b");
  FileUse new_a;
  ASSERT_EQ(look_up("a", new_a), Lookup::File);
  EXPECT_EQ(new_a->place, kNoPlace) << "it is read by its descriptor";
  EXPECT_EQ(content_of(new_a), "new a");
  EXPECT_EQ(read_from(a->place), "a");
  EXPECT_EQ(read_from(b->place), "b");
  const std::int32_t place = a->place;
  a.reset();
  EXPECT_EQ(read_from(place), "EBADF");
  new_a.reset();
  FileUse c;
  ASSERT_EQ(look_up("c", c), Lookup::File);
  EXPECT_EQ(c->place, place);
  EXPECT_EQ(read_from(place), "c");
  EXPECT_EQ(read_from(b->place), "b");
}

TEST_F(FilePlacesTest, AFileThatIsNotKeptHasNoPlace) {
  FileUse a;
  FileUse b;
  FileUse c;
  ASSERT_EQ(look_up("a", a), Lookup::File);
  ASSERT_EQ(look_up("b", b), Lookup::File);
  ASSERT_EQ(look_up("c", c), Lookup::File);
  EXPECT_EQ(c->place, kNoPlace);
  EXPECT_EQ(content_of(c), "c");
  EXPECT_EQ(table_->counters().files_registered, 2U);
}

TEST_F(FilePlacesTest, ManyFilesTakeTurnsAndEachPlaceHasTheFileThatItsUseSays) {
  for (int i = 0; i < 30; ++i) {
    site_.write(std::to_string(i), std::to_string(i));
  }
  for (int round = 0; round < 100; ++round) {
    const std::string name = std::to_string(round * 7 % 30);
    FileUse file;
    ASSERT_EQ(look_up(name, file), Lookup::File);
    ASSERT_NE(file->place, kNoPlace);
    ASSERT_EQ(read_from(file->place), name);
    ASSERT_LE(table_->counters().files_registered, kPlaces);
  }
}

TEST_F(FilePlacesTest, TheReportSaysWhichPlace) {
  FileUse a;
  ASSERT_EQ(look_up("a", a), Lookup::File);
  EXPECT_EQ(table_->as_text(),
            "file table\nslot  uses  size  path\n" + std::to_string(a->place) + "  1  1  a\n");
}

TEST(FileTableDeathTest, NoUseOutlivesTheTable) {
  const m2_test::Site site;
  site.write("a", "1");
  const auto outlive = [&] {
    FileUse file;
    FileTable table(nullptr, {});
    (void)table.opened("a", UniqueFd(::open(site.path("a").c_str(), O_RDONLY)), 1, 0, file);
  };
  EXPECT_DEATH(outlive(), "a response must not outlive the table");
}
