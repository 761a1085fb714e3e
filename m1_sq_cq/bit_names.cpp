#include "m1_sq_cq/bit_names.hpp"

#include <array>
#include <span>

#include "common/uring/uapi.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

struct BitName {
  std::uint32_t bit;
  const char* name;
};

constexpr auto kFeatureBits = std::to_array<BitName>({
    {uring::IORING_FEAT_SINGLE_MMAP, "SINGLE_MMAP"},
    {uring::IORING_FEAT_NODROP, "NODROP"},
    {uring::IORING_FEAT_SUBMIT_STABLE, "SUBMIT_STABLE"},
    {uring::IORING_FEAT_RW_CUR_POS, "RW_CUR_POS"},
    {uring::IORING_FEAT_CUR_PERSONALITY, "CUR_PERSONALITY"},
    {uring::IORING_FEAT_FAST_POLL, "FAST_POLL"},
    {uring::IORING_FEAT_POLL_32BITS, "POLL_32BITS"},
    {uring::IORING_FEAT_SQPOLL_NONFIXED, "SQPOLL_NONFIXED"},
    {uring::IORING_FEAT_EXT_ARG, "EXT_ARG"},
    {uring::IORING_FEAT_NATIVE_WORKERS, "NATIVE_WORKERS"},
    {uring::IORING_FEAT_RSRC_TAGS, "RSRC_TAGS"},
    {uring::IORING_FEAT_CQE_SKIP, "CQE_SKIP"},
    {uring::IORING_FEAT_LINKED_FILE, "LINKED_FILE"},
    {uring::IORING_FEAT_REG_REG_RING, "REG_REG_RING"},
    {uring::IORING_FEAT_RECVSEND_BUNDLE, "RECVSEND_BUNDLE"},
    {uring::IORING_FEAT_MIN_TIMEOUT, "MIN_TIMEOUT"},
    {uring::IORING_FEAT_RW_ATTR, "RW_ATTR"},
    {uring::IORING_FEAT_NO_IOWAIT, "NO_IOWAIT"},
});

constexpr auto kSetupFlags = std::to_array<BitName>({
    {uring::IORING_SETUP_IOPOLL, "IOPOLL"},
    {uring::IORING_SETUP_SQPOLL, "SQPOLL"},
    {uring::IORING_SETUP_SQ_AFF, "SQ_AFF"},
    {uring::IORING_SETUP_CQSIZE, "CQSIZE"},
    {uring::IORING_SETUP_CLAMP, "CLAMP"},
    {uring::IORING_SETUP_ATTACH_WQ, "ATTACH_WQ"},
    {uring::IORING_SETUP_R_DISABLED, "R_DISABLED"},
    {uring::IORING_SETUP_SUBMIT_ALL, "SUBMIT_ALL"},
    {uring::IORING_SETUP_COOP_TASKRUN, "COOP_TASKRUN"},
    {uring::IORING_SETUP_TASKRUN_FLAG, "TASKRUN_FLAG"},
    {uring::IORING_SETUP_SQE128, "SQE128"},
    {uring::IORING_SETUP_CQE32, "CQE32"},
    {uring::IORING_SETUP_SINGLE_ISSUER, "SINGLE_ISSUER"},
    {uring::IORING_SETUP_DEFER_TASKRUN, "DEFER_TASKRUN"},
    {uring::IORING_SETUP_NO_MMAP, "NO_MMAP"},
    {uring::IORING_SETUP_REGISTERED_FD_ONLY, "REGISTERED_FD_ONLY"},
    {uring::IORING_SETUP_NO_SQARRAY, "NO_SQARRAY"},
    {uring::IORING_SETUP_HYBRID_IOPOLL, "HYBRID_IOPOLL"},
    {uring::IORING_SETUP_CQE_MIXED, "CQE_MIXED"},
    {uring::IORING_SETUP_SQE_MIXED, "SQE_MIXED"},
    {uring::IORING_SETUP_SQ_REWIND, "SQ_REWIND"},
});

constexpr auto kSqFlags = std::to_array<BitName>({
    {uring::IORING_SQ_NEED_WAKEUP, "NEED_WAKEUP"},
    {uring::IORING_SQ_CQ_OVERFLOW, "CQ_OVERFLOW"},
    {uring::IORING_SQ_TASKRUN, "TASKRUN"},
});

std::string names_of(std::uint32_t bits, std::span<const BitName> table) {
  std::string names;
  const auto add = [&names](const std::string& name) {
    names += (names.empty() ? "" : " | ") + name;
  };
  for (const BitName& row : table) {
    if ((bits & row.bit) != 0) {
      add(row.name);
      bits &= ~row.bit;
    }
  }
  if (bits != 0) {
    add(text("0x%x", bits));  // newer than our uapi.hpp
  }
  return names.empty() ? "none" : names;
}

}  // namespace

std::string feature_bit_names(std::uint32_t bits) {
  return names_of(bits, kFeatureBits);
}

std::string setup_flag_names(std::uint32_t bits) {
  return names_of(bits, kSetupFlags);
}

std::string sq_flag_names(std::uint32_t bits) {
  return names_of(bits, kSqFlags);
}

}  // namespace m1
