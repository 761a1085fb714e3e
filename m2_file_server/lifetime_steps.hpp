#pragma once
// The steps of `lifetime`, in order. Each returns false when something failed that should have
// worked; a claim that does not hold is the Story's to remember.

#include "m2_file_server/lifetime_stage.hpp"

namespace file_server {

[[nodiscard]] bool one_buffer_for_two_reads(Stage& stage);
[[nodiscard]] bool buffer_changed_under_a_send(Stage& stage);
[[nodiscard]] bool memory_that_is_gone(Stage& stage);
[[nodiscard]] bool cancel_answered_is_not_the_end(Stage& stage);
[[nodiscard]] bool close_is_not_the_end(Stage& stage);
[[nodiscard]] bool file_named_by_its_place(Stage& stage);
[[nodiscard]] bool the_cure(Stage& stage);

}  // namespace file_server
