#pragma once
// One file, from its name to the destination's name: everything around the CopyEngine.

#include <cstdint>
#include <cstdio>
#include <string>

#include "common/support/trace.hpp"
#include "common/uring/features.hpp"
#include "m1_sq_cq/copy_destination.hpp"
#include "m1_sq_cq/copy_engine.hpp"

namespace m1 {

struct CopyRequest {
  std::string source;
  std::string destination;
  // One block is read while another is written, and the third is ready for whoever is done first.
  // Fewer and larger ones took less time than more and smaller ones (16 x 128 KiB, 8 x 256 KiB,
  // 4 x 512 KiB on tmpfs): each request is a worker woken, and all of them share a few CPUs.
  std::uint32_t block_bytes = 1024 * 1024;
  std::uint32_t blocks = 3;
};

struct CopyReport {
  std::string destination;  // with the file's name, if a directory was named
  bool destination_is_stdout = false;
  std::uint64_t bytes = 0;
  CopyCounts counts;
  std::uint64_t wall_ns = 0;
  std::uint64_t cpu_ns = 0;    // of the whole process, the kernel's helper threads included
  std::string source_changed;  // a sentence, if the source changed during the copy
};

// A failure is a sentence that says as well what is left.
[[nodiscard]] OrSentence<CopyReport> copy_file(const CopyRequest& request,
                                               const uring::Features& features,
                                               support::Trace* trace);

}  // namespace m1
