// The interface between a program and the kernel's io_uring, stated in full: every struct, opcode
// and flag.
//
// Why not <linux/io_uring.h>? That header is as old as the system that it was installed with.
// Debian 12 ships the one of Linux 6.1, so a program that includes it cannot name what a newer
// kernel under it can do, and does not even compile if it tries. Nothing here depends on the age of
// that header. Do not include both in one file: the kernel's names are macros there and would
// replace ours.
//
// How to read it:
//  - Names are the kernel's own, in namespace `uring`, so that manual pages and kernel sources can
//  be searched for them.
//    Macros became constexpr constants whose type is that of the field they go into.
//  - Each comment starts with the kernel version that brought the name (or "not before" it was
//  usable), then says what
//    it means. The file follows Linux 6.18 and goes a little further; what is newer than 6.18 shows
//    it by its version.
//  - Reserved fields must be zero: the kernel answers EINVAL otherwise, so that it can give them a
//  meaning later. That is
//    why every struct here is written so that `T value{}` is a valid start. Names that begin with
//    two underscores are not allowed in C++ programs; such padding is called `pad` or `resv` here.
//  - Arrays without a size at the end of a struct are not C++. Where the kernel has one, a comment
//  says what follows.
//
// tests/repo/uapi compares all of it, name by name and byte by byte, with the newest header that
// Debian packages. Left out on purpose: linux/io_uring/mock_file.h, which belongs to a kernel
// module for testing io_uring itself.
#pragma once

#include "common/uring/uapi/bpf_filter.hpp"    // filters on what a ring may submit
#include "common/uring/uapi/buffer_ring.hpp"   // the ring of provided buffers
#include "common/uring/uapi/cqe.hpp"           // what comes back
#include "common/uring/uapi/enter.hpp"         // io_uring_enter(2)
#include "common/uring/uapi/op_flags.hpp"      // flags of single opcodes
#include "common/uring/uapi/opcodes.hpp"       // IORING_OP_...
#include "common/uring/uapi/query.hpp"         // asking the kernel what it can do
#include "common/uring/uapi/registration.hpp"  // io_uring_register(2)
#include "common/uring/uapi/setup.hpp"   // io_uring_setup(2), the layout of the rings, features
#include "common/uring/uapi/socket.hpp"  // commands on sockets, the head of a multishot recvmsg
#include "common/uring/uapi/sqe.hpp"     // what goes in
#include "common/uring/uapi/zcrx.hpp"    // zero-copy receive

namespace uring {

// The three system calls. The numbers are the same on every architecture except alpha, where 110 is
// added.
// 5.1: make a ring, get its fd
inline constexpr long kSyscallIoUringSetup = 425;
// 5.1: submit, wait, or both
inline constexpr long kSyscallIoUringEnter = 426;
// 5.1: everything that is set up once for many requests
inline constexpr long kSyscallIoUringRegister = 427;

}  // namespace uring
