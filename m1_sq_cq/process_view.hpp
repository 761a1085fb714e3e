#pragma once
// What the kernel says about this process in /proc/self: the view from outside, against which the
// lessons check what they believe about their rings.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace m1 {

// The whole file as text; none when it cannot be read.
[[nodiscard]] std::optional<std::string> read_proc(const std::string& path);

// How many descriptors are open: the entries of /proc/self/fd, without the one that counts.
[[nodiscard]] std::size_t count_open_fds();

// A line of /proc/self/maps that shows memory of a ring ("anon_inode:[io_uring]").
struct RingMap {
  std::uintptr_t start;
  std::uintptr_t end;
  std::uint64_t offset;  // the IORING_OFF_* it was mapped with
};
[[nodiscard]] std::vector<RingMap> ring_maps();

// The number behind "NAME:" in a /proc file of such lines (fdinfo, status); none if there is no such
// line.
[[nodiscard]] std::optional<std::uint64_t> number_after(std::string_view proc_text,
                                                        std::string_view name);

// /proc/self/fdinfo of a descriptor. The kernel writes a ring's indices and tables there.
[[nodiscard]] std::string fdinfo(int fd);

// Memory of this process that is pinned (VmPin in /proc/self/status), in KiB. Registered buffers
// are.
[[nodiscard]] std::optional<std::uint64_t> pinned_kib();

}  // namespace m1
