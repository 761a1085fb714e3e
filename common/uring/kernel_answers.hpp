#pragma once
// What the kernel says when it is asked: the raw evidence behind the feature table. Internal to
// features.cpp, and a good place to read how each single thing is found out.

#include <array>
#include <cstdint>
#include <optional>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/uring/uapi.hpp"

namespace uring {

struct KernelAnswers {
  // Sets up a plain throw-away ring and asks it. `with_query`: whether IORING_REGISTER_QUERY may
  // be used. Fails as io_uring_setup does.
  [[nodiscard]] static base::Result<KernelAnswers> ask(bool with_query);

  [[nodiscard]] bool opcode_supported(int opcode) const;

  base::UniqueFd ring;                         // plain, 4 entries, nothing registered
  std::uint32_t feature_word = 0;              // params.features
  std::optional<io_uring_query_opcode> query;  // Linux 6.18
  std::array<bool, 256> opcodes{};             // IORING_REGISTER_PROBE, Linux 5.6
};

// Whether a ring can be set up with this flag (and the flags it cannot do without).
[[nodiscard]] bool trial_setup(std::uint32_t flag);

// Each does the thing once. The comment at each definition says how "unknown" differs from
// "refused". They leave nothing behind.
[[nodiscard]] bool trial_registered_wait(const KernelAnswers& kernel);
[[nodiscard]] bool trial_registered_ring(const KernelAnswers& kernel);
[[nodiscard]] bool trial_sparse_buffers(const KernelAnswers& kernel);
[[nodiscard]] bool trial_buffer_ring(const KernelAnswers& kernel);
[[nodiscard]] bool trial_buffer_ring_inc(const KernelAnswers& kernel);
[[nodiscard]] bool trial_multishot_accept(const KernelAnswers& kernel);
[[nodiscard]] bool trial_multishot_recv(const KernelAnswers& kernel);
[[nodiscard]] bool trial_multishot_recv_limit(const KernelAnswers& kernel);
[[nodiscard]] bool trial_cancel_fd(const KernelAnswers& kernel);
[[nodiscard]] bool trial_sync_cancel(const KernelAnswers& kernel);
[[nodiscard]] bool trial_send_msg_ring(const KernelAnswers& kernel);
[[nodiscard]] bool trial_ring_resize(const KernelAnswers& kernel);
[[nodiscard]] bool trial_clone_buffers(const KernelAnswers& kernel);

}  // namespace uring
