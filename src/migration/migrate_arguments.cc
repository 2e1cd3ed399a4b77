#include "migration/migrate_arguments.h"

#include <algorithm>

#include "base/number.h"

namespace tandem {
namespace {

constexpr size_t kKeyAt = 3;
constexpr size_t kWordsFrom = 6;
constexpr int64_t kTimeoutMsOtherwise = 1000;
constexpr int64_t kTimeoutMsMax = int64_t{1} << 31;

// Positions; 0: it is not there.
struct Words {
  bool copies = false;
  bool replaces = false;
  size_t user_at = 0;
  size_t password_at = 0;
  size_t keys_at = 0;  // behind KEYS, perhaps behind the last argument
  bool fit = true;
};

// A word that is none does not end it: who asks for keys or passwords looks behind it, too.
Words read_words(std::span<const Bytes> args) {
  Words words;
  for (size_t at = kWordsFrom; at < args.size() && words.keys_at == 0; ++at) {
    const size_t behind = args.size() - at - 1;
    if (equal_ignore_case(args[at], "COPY")) {
      words.copies = true;
    } else if (equal_ignore_case(args[at], "REPLACE")) {
      words.replaces = true;
    } else if (equal_ignore_case(args[at], "AUTH") && behind >= 1) {
      words.password_at = ++at;
    } else if (equal_ignore_case(args[at], "AUTH2") && behind >= 2) {
      words.user_at = at + 1;
      words.password_at = at += 2;
    } else if (equal_ignore_case(args[at], "KEYS")) {
      words.keys_at = at + 1;
    } else {
      words.fit = false;
    }
  }
  return words;
}

// KEYS as the last argument names nothing; the one key is all there is.
bool names_several(const Words& words, std::span<const Bytes> args) {
  return words.keys_at != 0 && words.keys_at < args.size();
}

std::optional<Bytes> argument_at(std::span<const Bytes> args, size_t at) {
  return at != 0 ? std::optional(args[at]) : std::nullopt;
}

}  // namespace

std::optional<MigrateArguments> parse_migrate(Context& c) {
  const Words words = read_words(c.args);
  if (!words.fit) {
    c.reply.error(kSyntaxError);
    return std::nullopt;
  }
  if (words.keys_at != 0 && !c.args[kKeyAt].empty()) {
    c.reply.error(
        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
    return std::nullopt;
  }
  const auto database = parse_int64(c.args[4]);
  const auto timeout_ms = parse_int64(c.args[5]);
  if (!database || !timeout_ms) {
    c.reply.error(kNotInteger);
    return std::nullopt;
  }
  return MigrateArguments{
      .host = c.args[1],
      .port = parse_int64(c.args[2]).value_or(0),
      .database = *database,
      .timeout_ms = *timeout_ms > 0 ? std::min(*timeout_ms, kTimeoutMsMax) : kTimeoutMsOtherwise,
      .copies = words.copies,
      .replaces = words.replaces,
      .user = argument_at(c.args, words.user_at),
      .password = argument_at(c.args, words.password_at),
      .keys = words.keys_at != 0 ? c.args.subspan(words.keys_at) : c.args.subspan(kKeyAt, 1)};
}

int lone_key_in(std::span<const Bytes> args) {
  return names_several(read_words(args), args) ? 0 : static_cast<int>(kKeyAt);
}

int first_of_keys_in(std::span<const Bytes> args) {
  const Words words = read_words(args);
  const bool several = names_several(words, args) && args[kKeyAt].empty();
  return several ? static_cast<int>(words.keys_at) : 0;
}

// Each in turn would be the last one that was read, were there nothing behind it.
bool hides_in_migrate(std::span<const Bytes> args, size_t at) {
  if (at < kWordsFrom) return false;
  const bool is_password = read_words(args.first(at + 1)).password_at == at;
  return is_password || read_words(args.first(std::min(at + 2, args.size()))).user_at == at;
}

}  // namespace tandem
