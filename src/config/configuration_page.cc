#include "config/configuration_page.h"

#include <limits>
#include <variant>

#include <fmt/format.h>

#include "config/config_value.h"
#include "config/directive.h"

namespace tandem {
namespace {

constexpr std::string_view kHead = R"(# Configuration

What `redis.conf`, the command line and CONFIG understand: every directive of Redis 7.2, and a few
of Tandem's own. `./dev docs` makes this page from the table in `src/config/directives.cc`.

A directive either **acts**, as in Redis, or it has **no effect**: then any value of its kind is
taken, so that the configuration files that you have can be used as they are, and a warning in the
log says why it changes nothing. Where that would be dangerous, for the directive promises safety or
a limit, **only** the value that promises nothing is taken: any other stops the start with an error
that names the line, and CONFIG SET refuses it.

A size is a number of bytes, also with `k`, `kb`, `m`, `mb`, `g` or `gb` behind it (1k is 1000, 1kb
is 1024). In the column *set*, "start" means at the start only; "run" that CONFIG SET changes it,
too; "protected" that `enable-protected-configs` says who may do so.
)";

std::string range(const std::string& unit, int64_t min, int64_t max) {
  constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
  constexpr int64_t kUnsignedMax = std::numeric_limits<uint32_t>::max();
  const bool low = min <= std::numeric_limits<int32_t>::min();
  const bool high = max == kIntMax || max == kUnsignedMax || max > kUnsignedMax;
  if (low && high) return unit;
  if (high) return fmt::format("{} from {}", unit, min);
  return fmt::format("{} {} to {}", unit, min, max);
}

struct ShowKind {
  std::string operator()(const BoolKind&) const { return "yes, no"; }
  std::string operator()(const IntegerKind& kind) const {
    return range("number", kind.min, kind.max);
  }
  std::string operator()(const OctalKind& kind) const {
    return fmt::format("octal number to {:o}", kind.max);
  }
  std::string operator()(const MemoryKind& kind) const {
    return kind.min == 0 ? "size" : fmt::format("size from {}", format_memory(kind.min));
  }
  std::string operator()(const EnumKind& kind) const {
    std::string names;
    for (const EnumValue& value : kind.values) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", value.name);
    }
    return names;
  }
  std::string operator()(const TextKind&) const { return "text"; }
  std::string operator()(const CheckedKind&) const { return "special"; }
  std::string operator()(const SpecialKind&) const { return "special"; }
};

std::string effect(const Directive& directive) {
  const Accepted* accepted = directive.accepted();
  if (accepted == nullptr) {
    return directive.note.empty() ? "acts" : fmt::format("acts. {}", directive.note);
  }
  if (!accepted->only_initial) return fmt::format("no effect: {}", accepted->why);
  const std::string only = accepted->initial.empty() ? std::string("only an empty text")
                                                     : fmt::format("only `{}`", accepted->initial);
  return fmt::format("**{}**: {}", only, accepted->why);
}

std::string row(const Directive& directive, Options& defaults) {
  std::string names = fmt::format("`{}`", directive.name);
  if (!directive.alias.empty()) names += fmt::format(", `{}`", directive.alias);
  std::string initial = show_option(directive, defaults);
  if (std::holds_alternative<MemoryKind>(directive.kind)) {
    initial = format_memory(parse_memory(initial).value_or(0));
  }
  // The working folder of whoever makes the page is nobody's default.
  if (directive.name == "dir") initial = "./";
  const char* set = directive.has(kImmutable)   ? "start"
                    : directive.has(kProtected) ? "protected"
                                                : "run";
  return fmt::format("| {} | {} | {} | {} | {} |\n", names, std::visit(ShowKind{}, directive.kind),
                     initial.empty() ? "" : fmt::format("`{}`", initial), set, effect(directive));
}

std::string effect(const FileDirective& directive) {
  if (directive.why.empty()) return "acts";
  if (directive.promises == nullptr) return fmt::format("no effect: {}", directive.why);
  return fmt::format("**refused**: {}", directive.why);
}

}  // namespace

std::string configuration_page() {
  std::string page(kHead);
  Options defaults;
  for (const DirectiveGroup& group : directive_groups()) {
    page += fmt::format(
        "\n## {}\n\n| directive | value | default | set | here |\n"
        "|---|---|---|---|---|\n",
        group.title);
    for (const Directive& directive : group.rows) page += row(directive, defaults);
  }
  page +=
      "\n## In files and arguments only\n\n| directive | here |\n|---|---|\n"
      "| `include` | acts |\n";
  for (const FileDirective& directive : file_directives()) {
    page += fmt::format("| `{}` | {} |\n", directive.name, effect(directive));
  }
  return page;
}

}  // namespace tandem
