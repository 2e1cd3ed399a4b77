// A directive: one row of the table that says what redis.conf, the command line and CONFIG
// understand. A row is all there is to say of a directive: names, form and limits of its value,
// where the value lands, who is told of a change, and, if it has no effect, why.
// docs/configuration.md is made from the rows.
//
// Rows are immutable data; values live in the Options structs that rows point into, or, for
// directives that are accepted without effect, as text in Config.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/options.h"

namespace tandem {

// What a value may look like. Checked for accepted directives too, so that a wrong file is refused
// as Redis does.
struct BoolKind {};
struct IntegerKind {
  int64_t min = 0;
  int64_t max = std::numeric_limits<int32_t>::max();
};
struct OctalKind {
  int64_t max;
};
struct MemoryKind {
  uint64_t min = 0;
  uint64_t max = std::numeric_limits<int64_t>::max();  // more: only for what is accepted as text
};
struct EnumValue {
  std::string_view name;
  int number;
};
struct EnumKind {
  std::span<const EnumValue> values;
  bool combine = false;  // several values at once, as bits
  // Says what is wrong with values together; empty: nothing.
  std::string_view (*objection)(int64_t bits) = nullptr;
};
struct TextKind {
  Result<void> (*check)(std::string_view text) = nullptr;
};
struct CheckedKind {  // text in a form of its own: gives it as CONFIG GET shows it
  Result<std::string> (*normalize)(std::span<const std::string> words);
};
struct SpecialKind {};  // the binding parses
using DirectiveKind = std::variant<BoolKind, IntegerKind, OctalKind, MemoryKind, EnumKind, TextKind,
                                   CheckedKind, SpecialKind>;

// Where the value lands.
//
// Nowhere: the directive has no effect, and `why` says so in half a sentence. Any value is taken,
// with a warning; but one that promises safety or a limit is not: of those only the default is.
struct Accepted {
  std::string_view initial;  // its default, as CONFIG GET shows it
  std::string_view why;
  bool only_initial = false;
};
constexpr Accepted refused(std::string_view initial, std::string_view why) {
  return {initial, why, true};
}
using BindBool = Option<bool>& (*)(Options&);
using BindInteger = Option<int64_t>& (*)(Options&);
using BindText = TextOption& (*)(Options&);
struct BindEnum {  // enums of any type, as the numbers of the row's EnumValues
  int (*get)(Options&);
  void (*set)(Options&, int);
};
struct BindSpecial {
  std::string (*get)(Options&);
  Result<void> (*set)(Options&, std::span<const std::string> words);
  // The lines CONFIG REWRITE writes, without the directive's name; null: get's text as one line,
  // quoted if `quoted`.
  std::vector<std::string> (*lines)(Options&) = nullptr;
};
using Binding = std::variant<Accepted, BindBool, BindInteger, BindText, BindEnum, BindSpecial>;

inline constexpr unsigned kImmutable = 1;  // only at start
inline constexpr unsigned kMultiWord = 2;  // takes several words
inline constexpr unsigned kHidden = 4;     // CONFIG GET shows it only by its exact name
inline constexpr unsigned kProtected = 8;  // CONFIG SET only with enable-protected-configs
inline constexpr unsigned kSecret = 32;    // never shown as an argument of a command
inline constexpr unsigned kAddsUp = 16;  // in a file, more lines of it add up instead of replacing

// Who has to do more about a new value than read it (Config::on_change).
enum class Part {
  kNone,
  kApplyThreads,
  kBacklog,
  kBind,
  kClientsMax,
  kClientsMemory,
  kCompression,
  kCrashLog,
  kEncodings,
  kKeyEvents,
  kLatencyTracking,
  kLogLevel,
  kMemory,
  kOutputLimits,
  kPassword,
  kPort,
  kReplication,
  kSaving,
  kSlowCommands,
  kTitle,
  kTrackingTable,
};

struct Directive {
  std::string_view name;
  std::string_view alias;  // empty: none
  DirectiveKind kind;
  Binding binding;
  unsigned flags = 0;
  Part part = Part::kNone;
  std::string_view note = {};  // what else there is to say of it, a sentence

  bool has(unsigned flag) const { return (flags & flag) != 0; }
  // Null for a directive that acts.
  const Accepted* accepted() const { return std::get_if<Accepted>(&binding); }
};

// Every directive of Redis 7.2 and ours, in the order CONFIG GET shows.
std::span<const Directive> directives();

// The same, by what they are about.
struct DirectiveGroup {
  std::string_view title;
  std::span<const Directive> rows;
};
std::span<const DirectiveGroup> directive_groups();

// By name or alias, in any case; null when there is none.
const Directive* find_directive(std::string_view name);

// What a configuration file may hold but CONFIG does not know.
struct FileDirective {
  std::string_view name;
  int words_min;  // after the name
  int words_max;
  std::string_view why;  // it has no effect; empty: it acts
  // Whether such a line promises what is not there, and so stops the start; null: none does.
  bool (*promises)(std::span<const std::string> words) = nullptr;
};
std::span<const FileDirective> file_directives();
const FileDirective* find_file_directive(std::string_view name);

// A directive's value between its words and its place: parsed by the row's kind, put where the
// row's binding says, and shown again. Pure but for the Options it is given.

// Checks the words and gives the text that CONFIG GET shows for them. The error is Redis's reason.
Result<std::string> normalize_value(const Directive& directive, std::span<const std::string> words);

// Sets the option that the row is bound to; the row must not be an Accepted one.
Result<void> set_option(const Directive& directive, std::span<const std::string> words,
                        Options& options);

// What CONFIG GET shows; the row must not be an Accepted one.
std::string show_option(const Directive& directive, Options& options);

// The lines of a file that give the directive the value shown as `text`.
std::vector<std::string> value_lines(const Directive& directive, const std::string& text,
                                     Options& options);

// A value as one text, taken apart as the directive takes it: of several words, an empty text has
// none.
std::vector<std::string> value_words(const Directive& directive, const std::string& text);

// The directives whose value is more than a number or a text: how each is read, shown and
// rewritten.
extern const BindSpecial kBindAddresses;     // bind
extern const BindSpecial kBindSavePoints;    // save
extern const BindSpecial kBindFolder;        // dir; setting it changes the process's working folder
extern const BindSpecial kBindOutputLimits;  // client-output-buffer-limit
extern const BindSpecial kBindPrimary;       // replicaof
extern const BindSpecial kBindHz;            // hz, clamped
extern const BindSpecial kBindMemoryLimit;   // maxmemory, which may be above what is a number else
extern const BindSpecial kBindPercentiles;   // latency-tracking-info-percentiles
extern const BindSpecial kBindKeyEvents;     // notify-keyspace-events
extern const BindSpecial kBindClientsMemory;  // maxmemory-clients: bytes, or percent of maxmemory

Result<std::string> normalize_oom_scores(std::span<const std::string> words);

// A name without a folder; `what` is its kind for the error's text.
Result<void> check_plain_name(std::string_view text, std::string_view directive,
                              std::string_view what);
Result<void> check_host_name(std::string_view text);

}  // namespace tandem
