#pragma once
// "Can this kernel do X, since when, and how do we know?"
//
// One table (features.cpp) names every optional thing that this project uses. It drives the printed
// report, the choice of fallbacks and the messages when there is none. Nothing else in the project
// compares kernel versions: distributions backport, containers mask, and a version number proves
// neither presence nor absence.
//
// The order of evidence, best first:
//   1. IORING_REGISTER_QUERY (6.18): the kernel states its setup flags, feature bits and opcodes.
//   2. params.features: the feature word that io_uring_setup has written since 5.4.
//   3. IORING_REGISTER_PROBE (5.6): which opcodes exist.
//   4. A trial: do the thing once on a throw-away ring, and tell "unknown" from "refused".

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "common/base/errno.hpp"

namespace uring {

// In the order of the table and of the printed report.
enum class Feature : std::uint8_t {
  SingleMmap,
  Nodrop,
  SubmitStable,
  Cqsize,
  SubmitAll,
  CoopTaskrun,
  TaskrunFlag,
  SingleIssuer,
  DeferTaskrun,
  NoSqarray,
  Sqpoll,
  ExtArg,
  MinWait,
  RegisteredWait,
  RegisteredRing,
  CqeSkip,
  SparseBuffers,
  BufferUpdate,
  BufferRing,
  BufferRingInc,
  Bundles,
  MultishotAccept,
  MultishotRecv,
  MultishotRecvLimit,
  DirectAccept,
  CancelFd,
  SyncCancel,
  Openat2,
  SendZc,
  SendmsgZc,
  MsgRing,
  SendMsgRing,
  RingResize,
  CloneBuffers,
  Query,
  Futex,
  EpollWait,
  kCount
};
inline constexpr std::size_t kFeatureCount = static_cast<std::size_t>(Feature::kCount);

using FeatureMask = std::bitset<kFeatureCount>;

enum class Evidence : std::uint8_t { Query, FeatureWord, Probe, Trial, Masked };
[[nodiscard]] const char* to_string(Evidence evidence);

// The unchanging part of a row.
struct FeatureInfo {
  Feature feature;
  const char* name;      // as in URING_DISABLE
  const char* since;     // the first kernel that has it
  const char* meaning;   // what it is
  const char* fallback;  // what this project does without it
};
[[nodiscard]] const FeatureInfo& info(Feature feature);
[[nodiscard]] std::span<const FeatureInfo, kFeatureCount> feature_table();

// "multishot_accept,buffer_ring" -> the mask. An unknown name is an error: the text returned is one
// sentence that names it and the nearest known name. Empty text masks nothing.
[[nodiscard]] std::expected<FeatureMask, std::string> parse_feature_mask(std::string_view names);

class Features {
 public:
  // Asks the kernel with throw-away rings, closed again on return. A masked feature is reported
  // absent and is never tried. Fails as io_uring_setup does: pass the error to
  // explain_setup_failure() of denied.hpp.
  [[nodiscard]] static base::Result<Features> detect(const FeatureMask& masked = {});

  [[nodiscard]] bool has(Feature feature) const {
    return present_[static_cast<std::size_t>(feature)];
  }
  [[nodiscard]] Evidence evidence(Feature feature) const {
    return evidence_[static_cast<std::size_t>(feature)];
  }
  // Those of the wanted IORING_SETUP_* flags that this kernel (and the mask) allows, and that go
  // together: without SINGLE_ISSUER there is no DEFER_TASKRUN.
  [[nodiscard]] std::uint32_t allowed_setup_flags(std::uint32_t wanted) const;

 private:
  Features() = default;

  std::bitset<kFeatureCount> present_;
  std::array<Evidence, kFeatureCount> evidence_{};
};

// Detection as every main() wants it: reads URING_DISABLE, asks the kernel, and on failure returns
// the one sentence to print before exiting with status 2.
[[nodiscard]] std::expected<Features, std::string> detect_features_or_explain();

}  // namespace uring
