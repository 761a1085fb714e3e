#include "m1_sq_cq/copy_destination.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

struct Advice {
  int error;
  const char* what_to_do;
};

constexpr auto kAdvice = std::to_array<Advice>({
    {EACCES, "ask for the right to it, or run as a user who has it"},
    {EBUSY, "something else is using it; end that first"},
    {EDQUOT, "your quota is used up: remove files, or choose another place"},
    {EFBIG, "the file system or `ulimit -f` allows no larger file; choose another place"},
    {EINVAL, "what is behind this name cannot be read or written in this way"},
    {EIO, "the device has failed; the kernel's log (dmesg) says more"},
    {EISDIR, "it is a directory; name a file"},
    {ELOOP, "its symbolic links lead in a circle; name the file itself"},
    {EMFILE, "too many files are open; raise `ulimit -n`"},
    {ENAMETOOLONG, "choose a shorter name"},
    {ENFILE, "the whole system has too many files open; end something"},
    {ENODEV, "there is no device behind this name"},
    {ENOENT, "there is no such file or directory; look at the name"},
    {ENOMEM, "the machine is out of memory; end something"},
    {ENOSPC, "free some space, or choose another place"},
    {ENOTDIR, "a part of its path is no directory; look at the name"},
    {ENXIO, "nobody is at the other end of this device, or it is a socket"},
    {EPERM, "the file system forbids it, perhaps the file is immutable (lsattr)"},
    {EPIPE, "the reader has gone away"},
    {EROFS, "the file system is read-only; choose another place"},
    {ETXTBSY, "it is a program that is running; end it first"},
});

const char* advice_for(base::Errno error) {
  for (const Advice& advice : kAdvice) {
    if (advice.error == error.value) {
      return advice.what_to_do;
    }
  }
  return "this error was not expected here";
}

std::string file_name(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) {
    return "";
  }
  const std::size_t slash = path.find_last_of('/', last);
  const std::size_t first = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(first, last - first + 1);
}

// With its slash at the end; empty for the current directory.
std::string directory_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::optional<struct stat> stat_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? std::optional(status) : std::nullopt;
}

}  // namespace

std::string describe_failure(std::string_view what, const std::string& path, base::Errno error) {
  return text("cannot %.*s '%s': %s (%s): %s", static_cast<int>(what.size()), what.data(),
              path.c_str(), error.name(), error.message(), advice_for(error));
}

// --- finding it ----------------------------------------------------------------------------------

OrSentence<CopyDestination> CopyDestination::find(std::string path, const std::string& source_path,
                                                  const struct stat& source) {
  struct stat status {};
  bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    if (!path.ends_with('/')) {
      path += '/';
    }
    path += file_name(source_path);
    exists = ::stat(path.c_str(), &status) == 0;
  }
  if (!exists) {
    if (const base::Errno error = base::last_error(); error.value != ENOENT) {
      return std::unexpected(describe_failure("find", path, error));
    }
    if (::lstat(path.c_str(), &status) == 0) {
      return std::unexpected("'" + path +
                             "' is a symbolic link to a file that does not exist: name that file, "
                             "or remove the link");
    }
    return CopyDestination(std::move(path));
  }
  if (same_file(status, source)) {
    return std::unexpected("'" + source_path + "' and '" + path +
                           "' are the same file: name another destination");
  }
  CopyDestination found(std::move(path));
  found.existing_ = status;
  if (const auto opened = found.open_existing(); !opened) {
    return std::unexpected(opened.error());
  }
  return found;
}

OrSentence<void> CopyDestination::open_existing() {
  fd_.reset(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd_.valid()) {
    return std::unexpected(describe_failure("write to", path_, base::last_error()));
  }
  if (S_ISREG(existing_->st_mode)) {
    // A rename would put the new file in the place of a symbolic link. Its target is meant.
    const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path_.c_str(), nullptr),
                                                               &std::free);
    if (resolved == nullptr) {
      return std::unexpected(describe_failure("find", path_, base::last_error()));
    }
    path_ = resolved.get();
  }
  return {};
}

// --- writing to it -------------------------------------------------------------------------------

bool CopyDestination::may_be_replaced() const {
  return !existing_ || (S_ISREG(existing_->st_mode) && existing_->st_nlink == 1 && !is_stdout());
}

OrSentence<void> CopyDestination::begin(const struct stat& source) {
  constexpr mode_t kPermissions = 0777;  // setuid and the like are not for a copy to give
  if (may_be_replaced()) {
    const auto made = make_new_file(source.st_mode & kPermissions);
    if (made) {
      return {};
    }
    if (!existing_) {
      return std::unexpected(describe_failure("create", path_, made.error()));
    }
  }
  if (S_ISREG(existing_->st_mode) && ::ftruncate(fd(), 0) != 0) {
    return std::unexpected(describe_failure("empty", path_, base::last_error()));
  }
  return {};
}

// The kernel takes the umask off `mode`. An existing destination's owner and permissions go on.
base::Result<void> CopyDestination::make_new_file(mode_t mode) {
  constexpr int kTries = 100;
  std::string name;
  base::UniqueFd made;
  for (int attempt = 0; attempt < kTries && !made.valid(); ++attempt) {
    name = directory_of(path_) + text(".m1_copy.%d.%d", ::getpid(), attempt);
    made.reset(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!made.valid() && base::last_error().value != EEXIST) {
      return base::fail(base::last_error());
    }
  }
  if (!made.valid()) {
    return base::fail(EEXIST);
  }
  if (existing_ && (::fchown(made.get(), existing_->st_uid, existing_->st_gid) != 0 ||
                    ::fchmod(made.get(), existing_->st_mode & 07777) != 0)) {
    const base::Errno error = base::last_error();
    ::unlink(name.c_str());
    return base::fail(error);
  }
  fd_ = std::move(made);
  new_path_ = std::move(name);
  return {};
}

OrSentence<void> CopyDestination::cut(std::uint64_t bytes) {
  if (::ftruncate(fd(), static_cast<off_t>(bytes)) != 0) {
    return std::unexpected(describe_failure("shorten", path_, base::last_error()));
  }
  return {};
}

OrSentence<void> CopyDestination::commit() {
  // A file system may find out only now that the bytes have no place (NFS, quotas).
  if (::close(fd_.release()) != 0) {
    return std::unexpected(describe_failure("write to", path_, base::last_error()));
  }
  if (!new_path_.empty()) {
    if (::rename(new_path_.c_str(), path_.c_str()) != 0) {
      return std::unexpected(describe_failure("replace", path_, base::last_error()));
    }
    new_path_.clear();
  }
  return {};
}

CopyDestination::CopyDestination(CopyDestination&& other) noexcept
    : path_(std::move(other.path_)),
      new_path_(std::exchange(other.new_path_, {})),
      fd_(std::move(other.fd_)),
      existing_(other.existing_) {}

CopyDestination::~CopyDestination() {
  discard();
}

std::string CopyDestination::discard(std::uint64_t bytes_written) {
  fd_.reset();
  const bool in_place = new_path_.empty();
  const std::string made = std::exchange(new_path_, {});
  if (!in_place && ::unlink(made.c_str()) != 0) {
    return "The incomplete copy '" + made + "' could not be removed (" + base::last_error().name() +
           ").";
  }
  if (!in_place) {
    return existing_ ? "'" + path_ + "' is as it was." : "No '" + path_ + "' was made.";
  }
  const std::string written = std::to_string(bytes_written);
  if (existing_ && S_ISREG(existing_->st_mode)) {
    return "'" + path_ + "' is incomplete: its old contents are gone, and " + written +
           " bytes of the new ones are in it.";
  }
  return written + " bytes had gone into '" + path_ + "' by then.";
}

// --- what it is ----------------------------------------------------------------------------------

bool CopyDestination::takes_any_order() const {
  const auto status = stat_of(fd());
  return status && (S_ISREG(status->st_mode) || S_ISBLK(status->st_mode));
}

bool CopyDestination::seeks() const {
  return ::lseek(fd(), 0, SEEK_CUR) != -1;
}

bool CopyDestination::is_stdout() const {
  const auto ours = stat_of(STDOUT_FILENO);
  return existing_ && ours && same_file(*existing_, *ours);
}

}  // namespace m1
