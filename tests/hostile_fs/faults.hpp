#pragma once
// In which ways the filesystem misbehaves. Each is something that a real one may do: NFS and FUSE
// answer in pieces, disks fail at a sector, a file is cut or grows between stat and read.

#include <cstdint>
#include <limits>

namespace hostile_fs {

inline constexpr std::int64_t kNever = -1;

struct Faults {
  std::int64_t piece_bytes =
      std::numeric_limits<std::int32_t>::max();  // the most that a read gives
  std::int64_t delay_ms = 0;                     // how long a read takes
  std::int64_t error_at = kNever;      // from this offset on a read is EIO; up to it a short read
  std::int64_t claimed_size = kNever;  // what stat says of each file, whatever a read gives
  bool refuse_direct = false;          // open with O_DIRECT is EINVAL
};

}  // namespace hostile_fs
