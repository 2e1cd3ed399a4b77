#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "config/config_value.h"
#include "config/directive.h"

namespace tandem {
namespace {

using Words = std::span<const std::string>;

std::unexpected<Error> invalid(std::string text) {
  return fail(ErrorCode::kInvalid, std::move(text));
}

// bind

std::string show_addresses(Options& options) {
  return fmt::format("{}", fmt::join(options.server.network.bind.get(), " "));
}

Result<void> set_addresses(Options& options, Words words) {
  constexpr size_t kAddressesMax = 16;
  if (words.size() > kAddressesMax) return invalid("Too many bind addresses specified.");
  const bool none = words.size() == 1 && words[0].empty();
  options.server.network.bind.set(none ? std::vector<std::string>{}
                                       : std::vector<std::string>(words.begin(), words.end()));
  return {};
}

std::vector<std::string> address_lines(Options& options) {
  const std::string shown = show_addresses(options);
  return {shown.empty() ? "\"\"" : shown};
}

// save

std::string show_save_points(Options& options) {
  std::vector<std::string> parts;
  for (const SavePoint& point : options.server.persistence.save_points.get()) {
    parts.push_back(fmt::format("{} {}", point.seconds, point.changes));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

Result<void> set_save_points(Options& options, Words words) {
  std::vector<SavePoint> points;
  if (!(words.size() == 1 && words[0].empty())) {
    if (words.size() % 2 != 0) return invalid("Invalid save parameters");
    for (size_t at = 0; at < words.size(); at += 2) {
      const auto seconds = parse_integer(words[at]);
      const auto changes = parse_integer(words[at + 1]);
      if (!seconds || !changes || *seconds < 1 || *changes < 0) {
        return invalid("Invalid save parameters");
      }
      points.push_back({*seconds, *changes});
    }
  }
  options.server.persistence.save_points.set(std::move(points));
  return {};
}

std::vector<std::string> save_point_lines(Options& options) {
  std::vector<std::string> lines;
  for (const SavePoint& point : options.server.persistence.save_points.get()) {
    lines.push_back(fmt::format("{} {}", point.seconds, point.changes));
  }
  if (lines.empty()) lines.push_back("\"\"");
  return lines;
}

// latency-tracking-info-percentiles

std::string show_percentiles(Options& options) {
  std::vector<std::string> shown;
  for (const double percentile : options.server.latency_percentiles.get()) {
    shown.push_back(fmt::format("{:g}", percentile));
  }
  return fmt::format("{}", fmt::join(shown, " "));
}

Result<void> set_percentiles(Options& options, Words words) {
  std::vector<double> percentiles;
  if (words.size() == 1 && words[0].empty()) words = {};
  for (const std::string& word : words) {
    char* end = nullptr;
    const double percentile = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != '\0') {
      return invalid("Invalid latency-tracking-info-percentiles parameters");
    }
    if (!(percentile >= 0.0 && percentile <= 100.0)) {
      return invalid("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
    }
    percentiles.push_back(percentile);
  }
  options.server.latency_percentiles.set(std::move(percentiles));
  return {};
}

std::vector<std::string> percentile_lines(Options& options) {
  const std::string shown = show_percentiles(options);
  return {shown.empty() ? "\"\"" : shown};
}

// dir

std::string show_folder(Options& options) {
  const std::string folder = options.server.persistence.folder.get();
  if (!folder.empty()) return folder;
  std::error_code error;
  return std::filesystem::current_path(error).string();
}

Result<void> set_folder(Options& options, Words words) {
  if (words.size() != 1) return invalid("wrong number of arguments");
  std::error_code error;
  std::filesystem::current_path(words[0], error);
  if (error) return invalid(error.message());
  options.server.persistence.folder.set(std::filesystem::current_path(error).string());
  return {};
}

std::vector<std::string> folder_lines(Options& options) {
  return {quote_word(show_folder(options))};
}

// client-output-buffer-limit

std::optional<size_t> client_class(std::string_view name) {
  if (equal_ignore_case(name, "normal")) return 0;
  if (equal_ignore_case(name, "slave") || equal_ignore_case(name, "replica")) return 1;
  if (equal_ignore_case(name, "pubsub")) return 2;
  return std::nullopt;
}

std::string show_output_limits(Options& options) {
  constexpr std::array kNames{"normal", "slave", "pubsub"};
  std::vector<std::string> parts;
  for (size_t at = 0; at < kNames.size(); ++at) {
    const OutputBufferLimit& limit = options.server.network.output_buffer_limits[at];
    parts.push_back(fmt::format("{} {} {} {}", kNames[at], limit.hard_bytes.get(),
                                limit.soft_bytes.get(), limit.soft_seconds.get()));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

Result<void> set_output_limits(Options& options, Words words) {
  struct Values {
    int64_t hard, soft, seconds;
  };
  std::array<std::optional<Values>, kClientClasses> given;
  if (words.size() % 4 != 0) {  // none at all changes nothing
    return invalid("Wrong number of arguments in buffer limit configuration.");
  }
  for (size_t at = 0; at < words.size(); at += 4) {
    const auto which = client_class(words[at]);
    if (!which) return invalid("Invalid client class specified in buffer limit configuration.");
    const auto hard = parse_memory(words[at + 1]);
    const auto soft = parse_memory(words[at + 2]);
    const auto seconds = parse_integer(words[at + 3]);
    if (!hard || !soft || !seconds || *seconds < 0) {
      return invalid("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    // More than there can be is no limit that could be met.
    constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
    given[*which] = Values{static_cast<int64_t>(std::min(*hard, kMost)),
                           static_cast<int64_t>(std::min(*soft, kMost)), *seconds};
  }
  for (size_t at = 0; at < given.size(); ++at) {
    if (!given[at]) continue;
    OutputBufferLimit& limit = options.server.network.output_buffer_limits[at];
    limit.hard_bytes.set(given[at]->hard);
    limit.soft_bytes.set(given[at]->soft);
    limit.soft_seconds.set(given[at]->seconds);
  }
  return {};
}

std::vector<std::string> output_limit_lines(Options& options) {
  constexpr std::array kNames{"normal", "replica", "pubsub"};
  std::vector<std::string> lines;
  for (size_t at = 0; at < kNames.size(); ++at) {
    const OutputBufferLimit& limit = options.server.network.output_buffer_limits[at];
    const auto shown = [](const Option<int64_t>& bytes) {
      return format_memory(static_cast<uint64_t>(bytes.get()));
    };
    lines.push_back(fmt::format("{} {} {} {}", kNames[at], shown(limit.hard_bytes),
                                shown(limit.soft_bytes), limit.soft_seconds.get()));
  }
  return lines;
}

// replicaof

std::string show_primary(Options& options) {
  const PrimaryAddress primary = options.replication.primary.get();
  return primary.host.empty() ? "" : fmt::format("{} {}", primary.host, primary.port);
}

Result<void> set_primary(Options& options, Words words) {
  if (words.size() != 2) return invalid("wrong number of arguments");
  if (equal_ignore_case(words[0], "no") && equal_ignore_case(words[1], "one")) {
    options.replication.primary.set({});
    return {};
  }
  constexpr int64_t kPortMax = 65535;
  const auto port = parse_integer(words[1]);
  if (!port || *port < 0 || *port > kPortMax) return invalid("Invalid master port");
  options.replication.primary.set({words[0], static_cast<int>(*port)});
  return {};
}

std::vector<std::string> primary_lines(Options& options) {
  const std::string shown = show_primary(options);
  return shown.empty() ? std::vector<std::string>{} : std::vector<std::string>{shown};
}

// maxmemory

std::string show_memory_limit(Options& options) {
  return fmt::format("{}", options.memory.limit_bytes.get());
}

Result<void> set_memory_limit(Options& options, Words words) {
  if (words.size() != 1) return invalid("wrong number of arguments");
  const auto bytes = parse_memory(words[0]);
  if (!bytes) return invalid("argument must be a memory value");
  options.memory.limit_bytes.set(*bytes);
  return {};
}

// hz

std::string show_hz(Options& options) { return fmt::format("{}", options.server.hz.get()); }

Result<void> set_hz(Options& options, Words words) {
  if (words.size() != 1) return invalid("wrong number of arguments");
  const auto hz = parse_integer(words[0]);
  if (!hz) return invalid("argument couldn't be parsed into an integer");
  if (*hz < 0 || *hz > std::numeric_limits<int32_t>::max()) {
    return invalid("argument must be between 0 and 2147483647 inclusive");
  }
  options.server.hz.set(std::clamp<int64_t>(*hz, 1, 500));
  return {};
}

// notify-keyspace-events

std::string show_key_events(Options& options) { return options.server.key_events.get().text(); }

Result<void> set_key_events(Options& options, Words words) {
  if (words.size() != 1) return invalid("wrong number of arguments");
  const auto choice = EventChoice::parse(words[0]);
  if (!choice) return invalid("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  options.server.key_events.set(*choice);
  return {};
}

std::vector<std::string> key_event_lines(Options& options) {
  return {quote_word(show_key_events(options))};
}

// maxmemory-clients

std::string show_clients_memory(Options& options) {
  const int64_t limit = options.server.network.clients_memory_max.get();
  return limit < 0 ? fmt::format("{}%", -limit) : fmt::format("{}", limit);
}

Result<void> set_clients_memory(Options& options, Words words) {
  constexpr int64_t kPercentMax = 100;
  if (words.size() != 1) return invalid("wrong number of arguments");
  const std::string_view word = words[0];
  Option<int64_t>& limit = options.server.network.clients_memory_max;
  if (!word.ends_with('%')) {
    const auto bytes = parse_memory(word);
    if (!bytes) return invalid("argument must be a memory or percent value");
    // What does not fit becomes one percent, as in Redis.
    limit.set(static_cast<int64_t>(*bytes));
    return {};
  }
  const auto share = parse_integer(word.substr(0, word.size() - 1));
  if (!share || *share < 0) return invalid("argument must be a memory or percent value");
  if (*share > kPercentMax) return invalid("percentage argument must be less or equal to 100");
  limit.set(-*share);
  return {};
}

std::vector<std::string> clients_memory_lines(Options& options) {
  const int64_t limit = options.server.network.clients_memory_max.get();
  return {limit < 0 ? show_clients_memory(options) : format_memory(static_cast<uint64_t>(limit))};
}

}  // namespace

const BindSpecial kBindAddresses{show_addresses, set_addresses, address_lines};
const BindSpecial kBindSavePoints{show_save_points, set_save_points, save_point_lines};
const BindSpecial kBindFolder{show_folder, set_folder, folder_lines};
const BindSpecial kBindOutputLimits{show_output_limits, set_output_limits, output_limit_lines};
const BindSpecial kBindPrimary{show_primary, set_primary, primary_lines};
const BindSpecial kBindHz{show_hz, set_hz, nullptr};
const BindSpecial kBindMemoryLimit{show_memory_limit, set_memory_limit, nullptr};
const BindSpecial kBindPercentiles{show_percentiles, set_percentiles, percentile_lines};
const BindSpecial kBindKeyEvents{show_key_events, set_key_events, key_event_lines};
const BindSpecial kBindClientsMemory{show_clients_memory, set_clients_memory, clients_memory_lines};

Result<std::string> normalize_oom_scores(Words words) {
  constexpr size_t kScores = 3;
  constexpr int64_t kScoreMax = 2000;
  if (words.size() != kScores) return invalid("wrong number of arguments");
  std::vector<int64_t> scores;
  for (const std::string& word : words) {
    const auto score = parse_integer(word);
    if (!score || *score < -kScoreMax || *score > kScoreMax) {
      return invalid("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
    scores.push_back(*score);
  }
  return fmt::format("{}", fmt::join(scores, " "));
}

Result<void> check_plain_name(std::string_view text, std::string_view directive,
                              std::string_view what) {
  if (text.empty()) return invalid(fmt::format("{} can't be empty", directive));
  if (!text.contains('/')) return {};
  return invalid(fmt::format("{} can't be a path, just a {}", directive, what));
}

Result<void> check_host_name(std::string_view text) {
  constexpr size_t kBytesMax = 255;
  if (text.size() > kBytesMax) return invalid("Hostnames must be less than 256 characters");
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
  if (plain) return {};
  return invalid("Hostnames may only contain alphanumeric characters, hyphens or dots");
}

}  // namespace tandem
