#include "config/config.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error_text.h"
#include "base/glob.h"
#include "base/logging.h"
#include "base/version.h"
#include "config/config_value.h"
#include "config/directive.h"

namespace tandem {
namespace {

constexpr int kIncludeDepthMax = 16;

std::string no_effect(std::string_view name, std::string_view why) {
  return fmt::format("'{}' has no effect: {}", name, why);
}

// What stands above the reason why a line is refused.
std::string report_head(int number, std::string_view line) {
  return fmt::format(
      "\n*** FATAL CONFIG FILE ERROR (Redis {}) ***\nReading the configuration file, at line {}\n"
      ">>> '{}'\n",
      kRedisVersion, number, line);
}

std::string_view trim(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t start = line.find_first_not_of(kBlanks);
  if (start == line.npos) return {};
  return line.substr(start, line.find_last_not_of(kBlanks) - start + 1);
}

std::unexpected<Error> set_failed(std::string_view name, std::string_view reason) {
  return fail(
      ErrorCode::kInvalid,
      fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name, reason));
}

}  // namespace

ConfigStart parse_config_arguments(std::span<const std::string> arguments) {
  ConfigStart start;
  size_t at = 0;
  if (!arguments.empty() && !arguments[0].starts_with('-')) start.file = arguments[at++];
  bool wants_value = false;  // the last one was a name alone
  for (; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (argument == "-" && (at == 0 || at + 1 == arguments.size())) {
      start.standard_input = true;
      continue;
    }
    if (wants_value || !argument.starts_with("--")) {
      start.lines += quote_word(argument) + " ";
      wants_value = false;
      continue;
    }
    if (!start.lines.empty()) start.lines += "\n";
    start.lines += argument.substr(2) + " ";
    const auto words = split_words(argument);
    wants_value = words && words->size() == 1;
    const bool last = at + 1 == arguments.size() || arguments[at + 1].starts_with("--");
    if (last && equal_ignore_case(argument, "--save")) {
      start.lines += "\"\"";
      wants_value = false;
    }
  }
  return start;
}

Config::Config(Options& options, ConfigFiles& files) : options_(options), files_(files) {
  for (const Directive& directive : directives()) {
    initial_[&directive] = show_option(directive, options_);
  }
}

Result<void> Config::load(const ConfigStart& start) {
  std::string text;
  if (!start.file.empty()) {
    auto content = files_.read(start.file);
    if (!content) {
      return fail(ErrorCode::kIo, fmt::format("Fatal error, can't open config file '{}': {}",
                                              start.file, content.error().text));
    }
    text = std::move(*content);
    file_ = files_.absolute(start.file);
  }
  if (start.standard_input) {
    auto content = files_.read_standard_input();
    if (!content) return std::unexpected(content.error());
    text += *content;
  }
  if (!start.lines.empty()) text += "\n" + start.lines;
  auto loaded = load_text(text, 0);
  seen_.clear();
  return loaded;
}

Result<void> Config::load_text(const std::string& text, int depth) {
  int number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    ++number;
    const size_t end = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.empty() || line[0] == '#') continue;

    const auto words = split_words(line);
    Result<void> done = words
                            ? load_words(*words, depth)
                            : fail(ErrorCode::kInvalid, "Unbalanced quotes in configuration line");
    if (done && !words->empty() && equal_ignore_case(words->front(), "user")) {
      done = declare_user(std::span(*words).subspan(1), report_head(number, line));
    }
    if (done && words->size() == 3 && equal_ignore_case(words->front(), "rename-command")) {
      renames_.push_back({(*words)[1], (*words)[2], report_head(number, line)});
    }
    if (done) continue;
    // Other codes come from an included file, whose report is complete.
    if (done.error().code != ErrorCode::kInvalid) return done;
    return fail(ErrorCode::kRefused, report_head(number, line) + done.error().text);
  }
  return {};
}

Result<void> Config::load_words(std::span<const std::string> words, int depth) {
  if (words.empty()) return {};
  const std::string& name = words[0];
  const auto values = words.subspan(1);
  if (equal_ignore_case(name, "include") && values.size() == 1) return include(values[0], depth);

  if (const FileDirective* known = find_file_directive(name)) return load_known(*known, values);
  if (equal_ignore_case(name, "sentinel")) {
    return fail(ErrorCode::kInvalid, "sentinel directive while not in sentinel mode");
  }
  const Directive* directive = find_directive(name);
  if (directive == nullptr) {
    return fail(ErrorCode::kInvalid, "Bad directive or wrong number of arguments");
  }
  if (values.size() != 1 && !directive->has(kMultiWord)) {
    return fail(ErrorCode::kInvalid, "wrong number of arguments");
  }
  std::vector<std::string> all(values.begin(), values.end());
  if (all.size() == 1 && directive->has(kMultiWord) && all[0].contains(' ')) {
    auto split = split_words(all[0]);  // several words as one
    if (!split) return fail(ErrorCode::kInvalid, "Unbalanced quotes in configuration line");
    all = std::move(*split);
  }
  const bool none = all.empty() || (all.size() == 1 && all[0].empty());
  const bool first = seen_.insert(directive).second;
  if (directive->has(kAddsUp) && !first && !none) {
    const auto before = words_now(*directive);
    all.insert(all.begin(), before.begin(), before.end());
  }
  auto set = set_words(*directive, all);
  if (set && accepted_.contains(directive)) {
    warnings_.push_back(no_effect(directive->name, directive->accepted()->why));
  }
  return set;
}

Result<void> Config::load_known(const FileDirective& known, std::span<const std::string> values) {
  const auto count = static_cast<int>(values.size());
  if (count < known.words_min || count > known.words_max) {
    return fail(ErrorCode::kInvalid, "Bad directive or wrong number of arguments");
  }
  if (known.promises == nullptr) return {};
  if (!known.promises(values)) return {};
  return fail(ErrorCode::kInvalid, fmt::format("'{}' cannot be had: {}", known.name, known.why));
}

Result<void> Config::declare_user(std::span<const std::string> words, std::string report) {
  const auto has_name = [&](const UserDeclaration& other) { return other.words[0] == words[0]; };
  if (std::ranges::any_of(users_, has_name)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("Error in user declaration '{}': Duplicate user found. A user can only "
                            "be defined once in config files",
                            words[0]));
  }
  users_.push_back({{words.begin(), words.end()}, std::move(report)});
  return {};
}

Result<void> Config::include(const std::string& pattern, int depth) {
  if (depth >= kIncludeDepthMax) return fail(ErrorCode::kInvalid, "Too many nested includes");
  for (const std::string& path : files_.expand(pattern)) {
    const auto text = files_.read(path);
    if (!text) {
      return fail(ErrorCode::kIo, fmt::format("Fatal error, can't open config file '{}': {}", path,
                                              text.error().text));
    }
    if (auto loaded = load_text(*text, depth + 1); !loaded) return loaded;
  }
  return {};
}

Result<void> Config::set_words(const Directive& directive, std::span<const std::string> words) {
  if (directive.accepted() != nullptr) return set_accepted(directive, words);
  return set_option(directive, words, options_);
}

Result<void> Config::set_accepted(const Directive& directive, std::span<const std::string> words) {
  auto text = normalize_value(directive, words);
  if (!text) return std::unexpected(text.error());
  const Accepted& accepted = *directive.accepted();
  if (*text == accepted.initial) {
    accepted_.erase(&directive);
  } else if (accepted.only_initial) {
    return fail(ErrorCode::kInvalid, fmt::format("'{}' can only be '{}': {}", directive.name,
                                                 accepted.initial, accepted.why));
  } else {
    accepted_[&directive] = std::move(*text);
  }
  return {};
}

void Config::on_change(Part part, Apply apply) { changes_[part] = std::move(apply); }

std::string Config::show(const Directive& directive) {
  if (directive.accepted() == nullptr) return show_option(directive, options_);
  const auto found = accepted_.find(&directive);
  return found == accepted_.end() ? initial_[&directive] : found->second;
}

std::vector<std::string> Config::words_now(const Directive& directive) {
  return value_words(directive, show(directive));
}

std::vector<ConfigPair> Config::get(std::span<const std::string> patterns) {
  const std::lock_guard guard(lock_);
  std::vector<ConfigPair> found;
  // As it was asked for: a name keeps the asker's spelling.
  const auto answer = [&](const Directive& directive, std::string_view name) {
    for (const std::string& pattern : patterns) {
      if (equal_ignore_case(pattern, name)) return pattern;
      if (directive.has(kHidden)) continue;
      if (glob_match(pattern, name, GlobCase::kIgnore)) return std::string(name);
    }
    return std::string();
  };
  for (const Directive& directive : directives()) {
    for (const std::string_view name : {directive.name, directive.alias}) {
      if (std::string shown = answer(directive, name); !shown.empty()) {
        found.push_back({std::move(shown), show(directive)});
      }
    }
  }
  return found;
}

Result<std::vector<Config::Planned>> Config::plan(std::span<const ConfigPair> pairs, bool local) {
  std::vector<Planned> planned;
  const int access = options_.server.protected_config_access.get();
  const bool protects = access == kAccessNobody || (access == kAccessLocal && !local);
  for (const ConfigPair& pair : pairs) {
    const Directive* directive = find_directive(pair.name);
    if (directive == nullptr) {
      return fail(
          ErrorCode::kInvalid,
          error_text("ERR Unknown option or number of arguments for CONFIG SET - '{}'", pair.name));
    }
    const std::string_view name =
        equal_ignore_case(pair.name, directive->name) ? directive->name : directive->alias;
    if (directive->has(kImmutable)) return set_failed(pair.name, "can't set immutable config");
    if (directive->has(kProtected) && protects) {
      return set_failed(pair.name, "can't set protected config");
    }
    for (const Planned& other : planned) {
      if (other.name == name) return set_failed(pair.name, "duplicate parameter");
    }
    planned.push_back(
        {directive, name, value_words(*directive, pair.value), words_now(*directive)});
  }
  return planned;
}

Result<void> Config::apply(std::span<const Planned> planned) {
  for (const Planned& step : planned) {
    if (auto done = set_words(*step.directive, step.words); !done) {
      return set_failed(step.name, done.error().text);
    }
  }
  if (auto told = tell_parts(planned); !told) return told;
  for (const Planned& step : planned) {
    if (accepted_.contains(step.directive)) {
      log_warning("{}", no_effect(step.name, step.directive->accepted()->why));
    }
  }
  return {};
}

// Each part once, in the order of the directives; up to the first that refuses.
Result<void> Config::tell_parts(std::span<const Planned> planned) {
  std::set<Part> told;
  for (const Planned& step : planned) {
    const auto change = changes_.find(step.directive->part);
    if (change == changes_.end() || !told.insert(step.directive->part).second) continue;
    if (auto done = change->second(); !done) return set_failed(step.name, done.error().text);
  }
  return {};
}

Result<void> Config::set(std::span<const ConfigPair> pairs, bool local) {
  const std::lock_guard guard(lock_);
  const auto planned = plan(pairs, local);
  if (!planned) return std::unexpected(planned.error());
  auto applied = apply(*planned);
  if (applied) return applied;
  // Back to the values before, and the parts are told again, in case they had taken the new ones.
  for (const Planned& step : *planned) (void)set_words(*step.directive, step.before);
  (void)tell_parts(*planned);
  return applied;
}

Result<void> Config::rewrite(Rewrite which) {
  const std::lock_guard guard(lock_);
  if (file_.empty()) {
    return fail(ErrorCode::kRefused, "ERR The server is running without a config file");
  }
  std::string text;
  if (files_.exists(file_)) {
    auto content = files_.read(file_);
    if (!content) {
      return fail(ErrorCode::kIo, "ERR Rewriting config file: " + content.error().text);
    }
    text = std::move(*content);
  }
  std::vector<RewriteEntry> entries;
  for (const Directive& directive : directives()) {
    const std::string value = show(directive);
    entries.push_back({directive.name, directive.alias, value_lines(directive, value, options_),
                       which == Rewrite::kChanged && value == initial_[&directive]});
  }
  if (user_lines_ != nullptr) entries.push_back({"user", "", user_lines_()});
  if (auto replaced = files_.replace(file_, rewrite_config(text, entries)); !replaced) {
    return fail(ErrorCode::kIo, "ERR Rewriting config file: " + replaced.error().text);
  }
  return {};
}

namespace {

constexpr std::string_view kMark = "# Generated by CONFIG REWRITE";

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

// The directive's name that a line begins with; empty for comments and blank lines.
std::string line_name(const std::string& line) {
  if (const size_t start = line.find_first_not_of(" \t\r");
      start == line.npos || line[start] == '#') {
    return "";
  }
  const auto words = split_words(line);
  return !words || words->empty() ? "" : words->front();
}

}  // namespace

std::string rewrite_config(std::string_view text, std::span<const RewriteEntry> entries) {
  std::vector<std::string> lines = split_lines(text);
  std::vector<std::string> names;
  for (const std::string& line : lines) names.push_back(line_name(line));
  std::vector<bool> dropped(lines.size(), false);
  std::vector<std::string> appended;

  for (const RewriteEntry& entry : entries) {
    std::vector<size_t> places;
    for (size_t at = 0; at < names.size(); ++at) {
      if (names[at].empty()) continue;
      if (equal_ignore_case(names[at], entry.name) || equal_ignore_case(names[at], entry.alias)) {
        places.push_back(at);
      }
    }
    if (places.empty() && entry.is_default) continue;
    for (size_t at = 0; at < entry.lines.size(); ++at) {
      if (at < places.size()) {
        lines[places[at]] = entry.lines[at];
      } else {
        appended.push_back(entry.lines[at]);
      }
    }
    for (size_t at = entry.lines.size(); at < places.size(); ++at) dropped[places[at]] = true;
  }

  std::string out;
  bool marked = false;
  for (size_t at = 0; at < lines.size(); ++at) {
    if (dropped[at]) continue;
    marked = marked || lines[at] == kMark;
    out += lines[at] + '\n';
  }
  if (!appended.empty() && !marked) out.append(kMark).append("\n");
  for (const std::string& line : appended) out += line + '\n';
  return out;
}

}  // namespace tandem
