#pragma once
// --root: what the answers must be, from the files that the servers serve.

#include <expected>
#include <span>
#include <string>

#include "checkpoints/load_client/http_answers.hpp"

namespace load_client {

// Reads the file for each path: the path behind `root`, percent-decoded and without its query;
// index.html for a folder. The error is one sentence.
[[nodiscard]] std::expected<void, std::string> read_expected_files(const std::string& root,
                                                                   std::span<Answer> answers);

}  // namespace load_client
