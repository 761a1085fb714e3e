// The interface between a program and the kernel's io_uring, stated in full: every struct, opcode
// and flag, in one file per theme under uapi/. Include this file; it brings in all of them.
//
// Why not <linux/io_uring.h>? That header is as old as the system that it was installed with.
// Debian 12 ships the one of Linux 6.1, so a program that includes it cannot name what a newer
// kernel under it can do, and does not compile if it tries. Nothing here depends on the age of that
// header. Do not include both in one file: the kernel's macros would replace our names.
//
// How to read it:
//  - Names are the kernel's own, in namespace `uring`, so that you can search manual pages and the
//    kernel's source for them. Macros became constants, of the type of the field they go into.
//  - Each comment starts with the kernel version that brought the name, then says what it means. A
//    field without a version is as old as its struct. The files follow Linux 6.18; what is newer
//    shows it by its version.
//  - Reserved fields must be zero: the kernel answers EINVAL otherwise, so that it can give them a
//    meaning later. So start each struct as `T value{}`. Names with two leading underscores are the
//    compiler's in C++; the kernel's padding of that kind is called `pad` or `resv` here.
//  - An array without a size at the end of a struct is not C++. Where the kernel has one, a comment
//    says what follows the struct in memory.
//
// tests/repo/uapi compares all of it, name by name and byte by byte, with the newest header that
// Debian packages, and holds the versions against older headers. Left out on purpose:
// linux/io_uring/mock_file.h, which belongs to a kernel module that tests io_uring itself.
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

// The three system calls. Their numbers are the same on every architecture but alpha.

// 5.1: make a ring, get its fd
inline constexpr long kSyscallIoUringSetup = 425;
// 5.1: submit, wait, or both
inline constexpr long kSyscallIoUringEnter = 426;
// 5.1: everything that is set up once for many requests
inline constexpr long kSyscallIoUringRegister = 427;

}  // namespace uring
