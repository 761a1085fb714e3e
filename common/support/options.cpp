#include "common/support/options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include "common/support/edit_distance.hpp"

namespace support {
namespace {

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

}  // namespace

Options::Options(std::string_view program, std::string_view summary, std::vector<Option> table)
    : program_(program), summary_(summary), table_(std::move(table)) {
  bool list_seen = false;
  bool optional_seen = false;
  for (const Option& option : table_) {
    if (option.is_named()) {
      CHECK(find(option.name_) == &option, "an option's name is in the table once");
      CHECK(option.name_ != "help", "--help is always there");
      continue;
    }
    CHECK(!list_seen, "a list takes all the arguments, so nothing can follow it");
    CHECK(!optional_seen || !option.required_, "what may be left out comes last");
    list_seen = option.kind_ == Option::Kind::PositionalList;
    optional_seen = optional_seen || !option.required_;
  }
}

std::expected<Parsed, std::string> Options::parse(int argc, const char* const* argv) const {
  const char* const* const end = argv + argc;
  std::vector<std::string_view> positionals;
  bool options_ended = false;
  for (const char* const* next = argv + std::min(argc, 1); next != end;) {
    const std::string_view argument = *next++;
    const bool is_positional = options_ended || !argument.starts_with('-') || argument == "-";
    if (is_positional) {
      positionals.push_back(argument);
    } else if (argument == "--") {
      options_ended = true;
    } else if (argument == "--help" || argument == "-h") {
      return Parsed::Help;
    } else if (const Status status = parse_named(argument, next, end); !status) {
      return std::unexpected(status.error());
    }
  }
  if (const Status status = parse_positionals(positionals); !status) {
    return std::unexpected(status.error());
  }
  return Parsed::Run;
}

const Option* Options::find(std::string_view name) const {
  for (const Option& option : table_) {
    if (option.is_named() && option.name_ == name) {
      return &option;
    }
  }
  return nullptr;
}

std::string Options::unknown(std::string_view argument, std::string_view name) const {
  std::string nearest;
  std::size_t nearest_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  const auto consider = [&](const std::string& candidate) {
    if (const std::size_t distance = edit_distance(name, candidate); distance < nearest_distance) {
      nearest = candidate;
      nearest_distance = distance;
    }
  };
  consider("help");
  for (const Option& option : table_) {
    if (option.is_named()) {
      consider(option.name_);
    }
    if (option.kind_ == Option::Kind::Flag) {
      consider("no-" + option.name_);
    }
  }
  return "unknown option " + quoted(argument) +
         (nearest.empty() ? "; --help lists the options" : "; did you mean '--" + nearest + "'?");
}

Options::Status Options::parse_named(std::string_view argument, const char* const*& next,
                                     const char* const* end) const {
  const std::size_t dashes = argument.starts_with("--") ? 2 : 1;
  const std::string_view body = argument.substr(dashes);
  const std::size_t equals = body.find('=');
  const std::string_view name = body.substr(0, equals);
  const std::string_view written = argument.substr(0, dashes + name.size());
  std::optional<std::string_view> value;
  if (equals != std::string_view::npos) {
    value = body.substr(equals + 1);
  }

  if (written == "--help") {
    return std::unexpected("option '--help' takes no value");  // without one it never comes here
  }
  const Option* option = dashes == 2 ? find(name) : nullptr;
  bool is_negated = false;
  if (option == nullptr && dashes == 2 && name.starts_with("no-")) {
    option = find(name.substr(3));
    is_negated = option != nullptr && option->kind_ == Option::Kind::Flag;
    option = is_negated ? option : nullptr;
  }
  if (option == nullptr) {
    return std::unexpected(unknown(written, name));
  }

  if (option->kind_ == Option::Kind::Flag) {
    if (value) {
      return std::unexpected("option " + quoted(written) + " takes no value, but was given " +
                             quoted(*value));
    }
    (void)option->store_(is_negated ? "no" : "");
    return {};
  }
  if (!value && next != end && !std::string_view(*next).starts_with("--")) {
    value = *next++;
  }
  if (!value) {
    return std::unexpected("option " + quoted(written) + " needs " + option->needs_ +
                           ", but nothing was given");
  }
  if (!option->store_(*value)) {
    return std::unexpected("option " + quoted(written) + " needs " + option->needs_ + ", not " +
                           quoted(*value));
  }
  return {};
}

Options::Status Options::parse_positionals(const std::vector<std::string_view>& arguments) const {
  std::size_t used = 0;
  for (const Option& option : table_) {
    if (option.is_named()) {
      continue;
    }
    if (option.required_ && used == arguments.size()) {
      return std::unexpected("missing argument: " + option.name_ + " (" + option.help_ + ")");
    }
    const std::size_t most = option.kind_ == Option::Kind::PositionalList ? arguments.size() : 1;
    for (std::size_t i = 0; i < most && used < arguments.size(); ++i) {
      const std::string_view argument = arguments[used++];
      if (!option.store_(argument)) {
        return std::unexpected("argument " + option.name_ + " needs " + option.needs_ + ", not " +
                               quoted(argument));
      }
    }
  }
  if (used < arguments.size()) {
    return std::unexpected("unexpected argument " + quoted(arguments[used]) +
                           "; --help shows what is expected");
  }
  return {};
}

std::optional<int> Options::parse_main(int argc, const char* const* argv) const {
  const auto parsed = parse(argc, argv);
  if (!parsed) {
    std::fprintf(stderr, "%s: %s\n", program_.c_str(), parsed.error().c_str());
    return 2;
  }
  if (*parsed == Parsed::Help) {
    std::fputs(help().c_str(), stdout);
    return 0;
  }
  return std::nullopt;
}

}  // namespace support
