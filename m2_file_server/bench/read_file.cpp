#include "m2_file_server/bench/read_file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "common/support/format_bytes.hpp"
#include "common/support/write_all.hpp"

namespace file_server::bench_read {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;

std::unexpected<std::string> cannot(const std::string& what, base::Errno error) {
  return std::unexpected(what + ": " + error.message() + " (" + error.name() + ")");
}

}  // namespace

Outcome<void> pread_block(int fd, std::span<std::byte> block, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < block.size()) {
    const ssize_t got =
        ::pread(fd, &block[done], block.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) {
      return file_ended(offset);
    }
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (const base::Errno error = base::last_error(); error.value != EINTR) {
      return failed_read(offset, error);
    }
  }
  return holds_block(block, offset) ? Outcome<void>{} : wrong_block(offset);
}

Outcome<ReadFile> ReadFile::prepare(const ReadFileOptions& options) {
  ReadFile file;
  file.bytes_ = options.bytes;
  std::string path = options.path.empty() ? options.directory + "/bench_read.XXXXXX" : options.path;
  file.buffered_.reset(options.path.empty()
                           ? ::mkostemp(path.data(), O_CLOEXEC)
                           : ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  const bool is_new = file.buffered_.valid();
  if (!is_new) {
    const base::Errno error = base::last_error();
    if (options.path.empty() || error.value != EEXIST) {
      return cannot("cannot make " + path, error);
    }
    if (const auto opened = file.open_existing(path); !opened) {
      return std::unexpected(opened.error());
    }
  }
  file.open_direct(path);
  if (options.path.empty()) {
    // Its name goes at once, and so nothing is left behind, whatever ends this program.
    ::unlink(path.c_str());
  }
  if (is_new) {
    if (const auto filled = file.fill(); !filled) {
      ::unlink(path.c_str());  // nobody can use a part of it
      return std::unexpected(filled.error());
    }
  }
  if (const auto seen = file.cached_share(); !seen) {
    file.why_not_buffered_ =
        "nothing tells what of this file is in the page cache, since it cannot be mapped (" +
        std::string(seen.error().name()) + ")";
  }
  // Read-ahead would bring in blocks that nobody asked for, and make others' reads hot.
  ::posix_fadvise(file.buffered_.get(), 0, 0, POSIX_FADV_RANDOM);
  return file;
}

Outcome<void> ReadFile::open_existing(const std::string& path) {
  buffered_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!buffered_.valid() || ::fstat(buffered_.get(), &status) != 0) {
    return cannot("cannot open " + path, base::last_error());
  }
  std::array<std::byte, kBlockBytes> first;
  if (!S_ISREG(status.st_mode) || !pread_block(buffered_.get(), first, 0)) {
    return std::unexpected(path + " is there, and is no file of this bench: give another name");
  }
  if (std::cmp_not_equal(status.st_size, bytes_)) {
    return std::unexpected(path + " has " + std::to_string(status.st_size) + " bytes, not the " +
                           std::to_string(bytes_) + " of --size: remove it, or ask for as many");
  }
  return {};
}

Outcome<void> ReadFile::fill() {
  std::vector<std::byte> chunk(kChunkBytes);
  for (std::uint64_t offset = 0; offset < bytes_; offset += kChunkBytes) {
    const auto part = std::span(chunk).first(std::min<std::size_t>(kChunkBytes, bytes_ - offset));
    fill_blocks(part, offset);
    if (const auto written = support::write_all(buffered_.get(), part); !written) {
      return cannot("cannot write a file of " + support::format_bytes(bytes_), written.error());
    }
  }
  // Dirty pages could not be dropped, and O_DIRECT would have to write them first.
  if (::fsync(buffered_.get()) != 0) {
    return cannot("cannot bring the file to the disk", base::last_error());
  }
  return {};
}

void ReadFile::open_direct(const std::string& path) {
  direct_.reset(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!direct_.valid()) {
    why_not_direct_ = "the file system refuses O_DIRECT (" +
                      std::string(base::last_error().name()) +
                      "); --directory may name a place on another one";
    return;
  }
  struct statfs file_system {};
  if (::fstatfs(direct_.get(), &file_system) == 0 && file_system.f_type == TMPFS_MAGIC) {
    // KERNEL(6.6): before, the open failed.
    why_not_direct_ =
        "tmpfs takes O_DIRECT and ignores it, being all page cache; --directory may name a place "
        "on a disk";
    return;
  }
  // KERNEL(6.1): says which alignment O_DIRECT asks for. Blocks suit every disk that says nothing.
  struct statx status {};
  if (::statx(direct_.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0 ||
      (status.stx_mask & STATX_DIOALIGN) == 0) {
    return;
  }
  const std::uint32_t align = std::max(status.stx_dio_offset_align, status.stx_dio_mem_align);
  if (align == 0) {
    why_not_direct_ = "the file system says that this file cannot be read past the page cache";
  } else if (kBlockBytes % align != 0) {
    why_not_direct_ = "O_DIRECT asks for " + std::to_string(align) + " bytes at once here";
  }
}

base::Result<double> ReadFile::bring_cache_to(Cache cache) {
  if (cache == Cache::Cold) {
    if (const int error = ::posix_fadvise(buffered_.get(), 0, 0, POSIX_FADV_DONTNEED); error != 0) {
      return base::fail(error);
    }
    return cached_share();
  }
  const auto cached = cached_share();
  if (!cached || *cached == 1) {
    return cached;
  }
  std::vector<std::byte> chunk(kChunkBytes);
  for (std::uint64_t offset = 0; offset < bytes_; offset += kChunkBytes) {
    if (::pread(buffered_.get(), chunk.data(), chunk.size(), static_cast<off_t>(offset)) < 0) {
      return base::fail(base::last_error());
    }
  }
  return cached_share();
}

// mincore() asks the page tables of a mapping, and for pages that are not there, the page cache.
base::Result<double> ReadFile::cached_share() const {
  void* const mapped = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, buffered_.get(), 0);
  if (mapped == MAP_FAILED) {
    return base::fail(base::last_error());
  }
  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((bytes_ + page_bytes - 1) / page_bytes);
  const int status = ::mincore(mapped, bytes_, pages.data());
  const base::Errno error = base::last_error();
  ::munmap(mapped, bytes_);
  if (status != 0) {
    return base::fail(error);
  }
  const auto cached =
      std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; });
  return static_cast<double>(cached) / static_cast<double>(pages.size());
}

}  // namespace file_server::bench_read
