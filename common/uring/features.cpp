#include "common/uring/features.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/base/check.hpp"
#include "common/support/edit_distance.hpp"
#include "common/uring/denied.hpp"
#include "common/uring/kernel_answers.hpp"
#include "common/uring/uapi.hpp"

namespace uring {

namespace {

using enum Feature;

// How the kernel is asked for one feature: by its bits or its opcode, or by a trial, or by a
// register opcode in QUERY's answer with a trial for kernels that have no QUERY.
struct Question {
  Feature needs = Feature::kCount;                // is nothing without that one; an earlier row
  std::uint32_t setup_flag = 0;                   // QUERY, else a trial setup
  std::uint32_t feature_bit = 0;                  // QUERY, else the feature word
  int opcode = -1;                                // QUERY's count, then the probe
  int register_opcode = -1;                       // QUERY's count, else the trial
  bool (*trial)(const KernelAnswers&) = nullptr;  // on throw-away rings
};

struct Row {
  FeatureInfo info;
  Question ask;
};

constexpr std::array<Row, kFeatureCount> kTable = {{
    {{SingleMmap, "single_mmap", "5.4", "SQ and CQ ring lie in one mapping", "two mappings"},
     {.feature_bit = IORING_FEAT_SINGLE_MMAP}},
    {{Nodrop, "nodrop", "5.5", "completions that do not fit the CQ wait in the kernel",
      "none needed on 5.10 and newer"},
     {.feature_bit = IORING_FEAT_NODROP}},
    {{SubmitStable, "submit_stable", "5.5", "what an SQE points to may go once it is submitted",
      "none needed on 5.10 and newer"},
     {.feature_bit = IORING_FEAT_SUBMIT_STABLE}},
    {{Cqsize, "cqsize", "5.5", "the CQ's size is ours to choose", "the kernel's choice: 2x the SQ"},
     {.setup_flag = IORING_SETUP_CQSIZE}},
    {{SubmitAll, "submit_all", "5.18", "a bad SQE does not stop the submit",
      "the rest goes with the next enter"},
     {.setup_flag = IORING_SETUP_SUBMIT_ALL}},
    {{CoopTaskrun, "coop_taskrun", "5.19", "no interrupt of the task to post completions",
      "the kernel interrupts"},
     {.setup_flag = IORING_SETUP_COOP_TASKRUN}},
    {{TaskrunFlag, "taskrun_flag", "5.19", "the SQ flags say that task work waits",
      "completions are looked for by entering"},
     {.needs = CoopTaskrun, .setup_flag = IORING_SETUP_TASKRUN_FLAG}},
    {{SingleIssuer, "single_issuer", "6.0", "one thread promises to be the only submitter",
      "a ring without the promise"},
     {.setup_flag = IORING_SETUP_SINGLE_ISSUER}},
    {{DeferTaskrun, "defer_taskrun", "6.1", "completions are posted only when we wait for them",
      "coop_taskrun, or a plain ring"},
     {.needs = SingleIssuer, .setup_flag = IORING_SETUP_DEFER_TASKRUN}},
    {{NoSqarray, "no_sqarray", "6.6", "no indirection between SQ slots and SQEs",
      "an array that maps each slot to itself"},
     {.setup_flag = IORING_SETUP_NO_SQARRAY}},
    // Both: the bit says that it needs no registered files (5.11), a trial that this process may have
    // the thread, for which 5.11 still wants CAP_SYS_NICE.
    {{Sqpoll, "sqpoll", "5.13", "a kernel thread submits, without privileges or registered files",
      "submission by io_uring_enter"},
     {.setup_flag = IORING_SETUP_SQPOLL, .feature_bit = IORING_FEAT_SQPOLL_NONFIXED}},
    {{ExtArg, "ext_arg", "5.11", "io_uring_enter takes a timeout", "a TIMEOUT request per wait"},
     {.feature_bit = IORING_FEAT_EXT_ARG}},
    {{MinWait, "min_wait", "6.12", "wait a little for a batch before settling for less",
      "a wait without the batching time"},
     {.needs = ExtArg, .feature_bit = IORING_FEAT_MIN_TIMEOUT}},
    {{RegisteredWait, "registered_wait", "6.13", "wait arguments live in a registered region",
      "arguments copied on each wait"},
     {.needs = ExtArg, .trial = trial_registered_wait}},
    {{RegisteredRing, "registered_ring", "5.18", "io_uring_enter by index: no file lookup",
      "the ring's file descriptor"},
     {.trial = trial_registered_ring}},
    {{CqeSkip, "cqe_skip", "5.17", "a request may succeed without a completion",
      "every completion is taken"},
     {.feature_bit = IORING_FEAT_CQE_SKIP}},
    {{SparseBuffers, "sparse_buffers", "5.19", "a buffer table with empty slots, filled later",
      "the whole table is registered at once"},
     {.trial = trial_sparse_buffers}},
    {{BufferUpdate, "buffer_update", "5.13", "single slots of the buffer table can be replaced",
      "unregister, register again"},
     {.feature_bit = IORING_FEAT_RSRC_TAGS}},
    {{BufferRing, "buffer_ring", "5.19", "buffers are provided through shared memory",
      "PROVIDE_BUFFERS requests"},
     {.trial = trial_buffer_ring}},
    {{BufferRingInc, "buffer_ring_inc", "6.12", "a provided buffer is consumed piece by piece",
      "a buffer per completion"},
     {.needs = BufferRing, .trial = trial_buffer_ring_inc}},
    {{Bundles, "bundles", "6.10", "one send or recv takes several provided buffers",
      "one buffer per operation"},
     {.needs = BufferRing, .feature_bit = IORING_FEAT_RECVSEND_BUNDLE}},
    {{MultishotAccept, "multishot_accept", "5.19", "one accept, many connections",
      "an accept per connection"},
     {.trial = trial_multishot_accept}},
    {{MultishotRecv, "multishot_recv", "6.0", "one recv, many messages", "a recv per message"},
     {.trial = trial_multishot_recv}},
    {{MultishotRecvLimit, "multishot_recv_limit", "6.17", "a multishot recv has a limit of bytes",
      "a cancel, which comes later"},
     {.needs = MultishotRecv, .trial = trial_multishot_recv_limit}},
    {{DirectAccept, "direct_accept", "5.19", "accept puts the socket into the registered files",
      "accept returns a plain descriptor"},
     // The opcode SOCKET came together with IORING_FILE_INDEX_ALLOC, which leaves no trace of its own.
     {.opcode = IORING_OP_SOCKET}},
    {{CancelFd, "cancel_fd", "5.19", "cancel every request on a descriptor",
      "cancel each request by its user_data"},
     {.trial = trial_cancel_fd}},
    {{SyncCancel, "sync_cancel", "6.0", "cancel and wait, outside of the queue",
      "a cancel request in the queue"},
     {.register_opcode = IORING_REGISTER_SYNC_CANCEL, .trial = trial_sync_cancel}},
    {{Openat2, "openat2", "5.6", "open with RESOLVE_BENEATH through the ring",
      "none needed on 5.10 and newer"},
     {.opcode = IORING_OP_OPENAT2}},
    {{SendZc, "send_zc", "6.0", "send without copying", "a copying send"},
     {.opcode = IORING_OP_SEND_ZC}},
    {{SendmsgZc, "sendmsg_zc", "6.1", "sendmsg without copying", "a copying sendmsg"},
     {.opcode = IORING_OP_SENDMSG_ZC}},
    {{MsgRing, "msg_ring", "5.18", "a message from ring to ring", "an eventfd"},
     {.opcode = IORING_OP_MSG_RING}},
    {{SendMsgRing, "send_msg_ring", "6.13", "a message to a ring from a thread without one",
      "an eventfd"},
     {.register_opcode = IORING_REGISTER_SEND_MSG_RING, .trial = trial_send_msg_ring}},
    {{RingResize, "ring_resize", "6.13", "a live ring changes its sizes",
      "size the ring for the worst case"},
     {.needs = DeferTaskrun,
      .register_opcode = IORING_REGISTER_RESIZE_RINGS,
      .trial = trial_ring_resize}},
    {{CloneBuffers, "clone_buffers", "6.12", "rings share one set of registered buffers",
      "a registration per ring"},
     {.register_opcode = IORING_REGISTER_CLONE_BUFFERS, .trial = trial_clone_buffers}},
    {{Query, "query", "6.18", "the kernel states what it can do",
      "the other three kinds of evidence"},
     {}},
    {{Futex, "futex", "6.7", "wait for and wake a futex through the ring", "futex(2)"},
     {.opcode = IORING_OP_FUTEX_WAIT}},
    {{EpollWait, "epoll_wait", "6.15", "read an epoll set through the ring", "epoll_wait(2)"},
     {.opcode = IORING_OP_EPOLL_WAIT}},
}};

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    if (static_cast<std::size_t>(kTable[i].info.feature) != i) {
      return false;
    }
  }
  return true;
}
static_assert(table_is_in_order(), "feature_table()[i] is the row of Feature(i)");

constexpr auto kInfos = [] {
  std::array<FeatureInfo, kFeatureCount> infos{};
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    infos[i] = kTable[i].info;
  }
  return infos;
}();

struct Finding {
  bool present;
  Evidence evidence;
};

// [snippet: feature_evidence]
bool has_all(std::uint64_t word, std::uint64_t bits) {
  return (word & bits) == bits;
}

Finding find(const Question& ask, const KernelAnswers& kernel) {
  if (ask.setup_flag != 0 || ask.feature_bit != 0) {
    if (kernel.query) {
      return {has_all(kernel.query->ring_setup_flags, ask.setup_flag) &&
                  has_all(kernel.query->feature_flags, ask.feature_bit),
              Evidence::Query};
    }
    const bool stated = has_all(kernel.feature_word, ask.feature_bit);
    if (ask.setup_flag == 0 || !stated) {
      return {stated, Evidence::FeatureWord};
    }
    return {trial_setup(ask.setup_flag), Evidence::Trial};
  }
  if (ask.opcode >= 0) {
    // QUERY counts the opcodes, so it can rule one out; whether a known one was also compiled in
    // (futex and epoll are kernel options) only the probe says.
    if (kernel.query && kernel.query->nr_request_opcodes <= static_cast<unsigned>(ask.opcode)) {
      return {false, Evidence::Query};
    }
    return {kernel.opcode_supported(ask.opcode), Evidence::Probe};
  }
  if (ask.register_opcode >= 0 && kernel.query) {
    return {kernel.query->nr_register_opcodes > static_cast<unsigned>(ask.register_opcode),
            Evidence::Query};
  }
  CHECK(ask.trial != nullptr, "every row says how the kernel is asked");
  return {ask.trial(kernel), Evidence::Trial};
}
// [/snippet]

std::string unknown_name(std::string_view name) {
  const auto nearest = std::ranges::min_element(kInfos, {}, [name](const FeatureInfo& row) {
    return support::edit_distance(name, row.name);
  });
  return "URING_DISABLE names no feature '" + std::string(name) + "': the nearest is '" +
         nearest->name + "', and `m1_sq_cq features` prints them all.";
}

}  // namespace

const char* to_string(Evidence evidence) {
  switch (evidence) {
    case Evidence::Query:
      return "query";
    case Evidence::FeatureWord:
      return "feature word";
    case Evidence::Probe:
      return "probe";
    case Evidence::Trial:
      return "trial";
    case Evidence::Masked:
      return "masked";
  }
  return "?";
}

const FeatureInfo& info(Feature feature) {
  return kInfos[static_cast<std::size_t>(feature)];
}

std::span<const FeatureInfo, kFeatureCount> feature_table() {
  return kInfos;
}

std::expected<FeatureMask, std::string> parse_feature_mask(std::string_view names) {
  FeatureMask mask;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    const std::string_view name = names.substr(0, comma);
    names.remove_prefix(std::min(comma + 1, names.size()));
    if (name.empty()) {
      continue;
    }
    const auto row = std::ranges::find(kInfos, name, &FeatureInfo::name);
    if (row == kInfos.end()) {
      return std::unexpected(unknown_name(name));
    }
    mask.set(static_cast<std::size_t>(row->feature));
  }
  return mask;
}

base::Result<Features> Features::detect(const FeatureMask& masked) {
  const auto is_masked = [&masked](Feature feature) {
    return masked[static_cast<std::size_t>(feature)];
  };
  auto kernel = KernelAnswers::ask(!is_masked(Query));
  if (!kernel) {
    return base::fail(kernel.error());
  }

  Features features;
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    Finding finding{};
    const Feature needed = kTable[i].ask.needs;
    if (masked[i]) {
      finding = {false, Evidence::Masked};
    } else if (needed != Feature::kCount && !features.has(needed)) {
      // Not even tried: a trial of it would bring the masked feature to the kernel.
      finding = {false, features.evidence(needed)};
    } else if (Feature(i) == Query) {
      finding = {kernel->query.has_value(), Evidence::Trial};
    } else {
      finding = find(kTable[i].ask, *kernel);
    }
    features.present_[i] = finding.present;
    features.evidence_[i] = finding.evidence;
  }

  return features;
}

std::uint32_t Features::allowed_setup_flags(std::uint32_t wanted) const {
  for (const Row& row : kTable) {
    if (row.ask.setup_flag != 0 && !has(row.info.feature)) {
      wanted &= ~row.ask.setup_flag;
    }
  }
  // TASKRUN_FLAG alone is EINVAL: it reports on one of the other two.
  if ((wanted & (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN)) == 0) {
    wanted &= ~IORING_SETUP_TASKRUN_FLAG;
  }
  return wanted;
}

std::expected<Features, std::string> detect_features_or_explain() {
  const char* disabled = std::getenv("URING_DISABLE");
  const auto mask = parse_feature_mask(disabled != nullptr ? disabled : "");
  if (!mask) {
    return std::unexpected(mask.error());
  }
  auto features = Features::detect(*mask);
  if (!features) {
    return std::unexpected(explain_setup_failure(features.error()));
  }
  return *features;
}

}  // namespace uring
