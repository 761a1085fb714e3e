// hostile_fs SOURCE MOUNTPOINT [OPTIONS]: shows the files of SOURCE below MOUNTPOINT, read-only, and
// answers in the ways that a test asks for. It runs in the foreground, prints "mounted on MOUNTPOINT"
// when it serves, and unmounts and exits with 0 at SIGTERM, SIGINT and SIGHUP.
//
// What must hold: exit status 2 means that it could not start: a wrong option, no such folder, no
// FUSE here.

#include <fcntl.h>

#include <array>
#include <cstdio>
#include <string>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/support/options.hpp"
#include "tests/hostile_fs/fuse_library.hpp"
#include "tests/hostile_fs/mirror.hpp"

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitCannotStart = 2;
// Reads that take their time hold a thread each.
constexpr unsigned kMaxThreads = 128;

// Serves until a signal ends it.
int serve(fuse* filesystem) {
  fuse_session* session = fuse_get_session(filesystem);
  if (fuse_set_signal_handlers(session) != 0) {
    return kExitFailed;
  }
  fuse_loop_config* config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_max_threads(config, kMaxThreads);
  fuse_loop_cfg_set_idle_threads(config, kMaxThreads);
  const int result = fuse_loop_mt(filesystem, config);  // the signal's number, or -errno
  fuse_loop_cfg_destroy(config);
  fuse_remove_signal_handlers(session);
  return result < 0 ? kExitFailed : 0;
}

// FUSE says on stderr what it does not like.
int mount_and_serve(hostile_fs::Mirror& mirror) {
  std::array<char, 11> program{"hostile_fs"};
  std::array<char, 3> option_word{"-o"};
  std::array<char, 21> options{"ro,fsname=hostile_fs"};
  std::array<char*, 4> words{program.data(), option_word.data(), options.data(), nullptr};
  fuse_args arguments{.argc = 3, .argv = words.data(), .allocated = 0};
  fuse* filesystem =
      fuse_new(&arguments, &hostile_fs::mirror_operations(), sizeof(fuse_operations), &mirror);
  fuse_opt_free_args(&arguments);
  if (filesystem == nullptr) {
    return kExitCannotStart;
  }
  int status = kExitCannotStart;
  if (fuse_mount(filesystem, mirror.mountpoint) == 0) {
    status = serve(filesystem);
    fuse_unmount(filesystem);
  }
  fuse_destroy(filesystem);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  using support::Option;
  constexpr std::int64_t kLargest = std::int64_t{1} << 50;
  hostile_fs::Mirror mirror;
  hostile_fs::Faults& faults = mirror.faults;
  std::string source;
  std::string mountpoint;
  const support::Options options(
      "hostile_fs", "Shows the files of a folder in another place, and misbehaves as asked.",
      {Option::positional("SOURCE", &source, "the folder with the files"),
       Option::positional("MOUNTPOINT", &mountpoint, "where they are shown: an empty folder"),
       Option::integer("piece", &faults.piece_bytes, 1, faults.piece_bytes,
                       "a read gives at most so many bytes"),
       Option::integer("delay-ms", &faults.delay_ms, 0, 60'000, "each read takes so long"),
       Option::integer("error-at", &faults.error_at, hostile_fs::kNever, kLargest,
                       "reads give EIO from this offset on; -1: never"),
       Option::integer("claim-size", &faults.claimed_size, hostile_fs::kNever, kLargest,
                       "the size of each file by stat; -1: its own"),
       Option::flag("refuse-direct", &faults.refuse_direct, "O_DIRECT cannot be opened: EINVAL")});
  if (const auto exit_status = options.parse_main(argc, argv)) {
    return *exit_status;
  }
  const base::UniqueFd folder(::open(source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) {
    std::fprintf(stderr, "hostile_fs: cannot open the folder '%s': %s\n", source.c_str(),
                 base::last_error().message());
    return kExitCannotStart;
  }
  mirror.source = folder.get();
  mirror.mountpoint = mountpoint.c_str();
  return mount_and_serve(mirror);
}
