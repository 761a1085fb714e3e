#pragma once
// The results for people and for programs.

#include <string>

#include "checkpoints/load_client/options.hpp"
#include "checkpoints/load_client/results.hpp"

namespace load_client {

// A row per target, then a row per comparison.
[[nodiscard]] std::string results_as_text(const Options& options, const Results& results);

// One JSON object and a newline.
[[nodiscard]] std::string results_as_json(const Options& options, const Results& results);

// A sentence for each kind of error of each target, one a line; empty if there was none.
[[nodiscard]] std::string errors_as_text(const Results& results);

}  // namespace load_client
