#pragma once
// The files of a folder, read-only, with faults.

#include "tests/hostile_fs/faults.hpp"

struct fuse_operations;

namespace hostile_fs {

struct Mirror {
  int source = -1;  // the folder, open
  Faults faults;
  const char* mountpoint = "";
};

// The operations of a filesystem whose private data is a Mirror. When the kernel has begun to ask,
// "mounted on MOUNTPOINT" is printed.
[[nodiscard]] const fuse_operations& mirror_operations();

}  // namespace hostile_fs
