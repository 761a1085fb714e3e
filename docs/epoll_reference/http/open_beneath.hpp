#pragma once
// Opens what a client named, and nothing outside the folder that is served. The kernel resolves the
// name and refuses to leave the folder on the way: no check of ours on the text of a name can do
// that, since a symlink may change between the check and the open.

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"

namespace epoll_reference {

// The folder to serve. ENOSYS: this kernel has no openat2 (5.6), or it is denied here.
[[nodiscard]] base::Result<base::UniqueFd> open_root(const char* folder);

// For reading. `path` is relative to `root`; "." is the root itself. A symlink may be followed as
// long as it stays below the root; an absolute one never does, wherever it points to, and neither do
// the links of /proc: EXDEV, ELOOP. A FIFO or a device is opened without waiting for its other side:
// the caller looks with fstat what it has got.
[[nodiscard]] base::Result<base::UniqueFd> open_beneath(int root, const char* path);

}  // namespace epoll_reference
