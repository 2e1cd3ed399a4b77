// Reading a command's arguments. Functions that return an optional have written the error reply
// when they return nothing: the handler just returns.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "engine/context.h"

namespace tandem {

inline constexpr Bytes kNoPositiveInteger = "ERR value is out of range, must be positive";
// Of numbers whose sign means a direction: each has its counterpart.
inline constexpr Bytes kNoSymmetricInteger =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

std::optional<int64_t> integer_argument(Context& ctx, size_t index, Bytes error = kNotInteger);
// Database numbers and the like: 32 bits. `error`, if given, is for all that is none.
std::optional<int> small_integer_argument(Context& ctx, size_t index, Bytes error = {});
// How many elements: not negative.
std::optional<uint64_t> count_argument(Context& ctx, size_t index,
                                       Bytes error = kNoPositiveInteger);
std::optional<double> double_argument(Context& ctx, size_t index, Bytes error = kNotFloat);
// The timeout of a blocking command, in seconds with a fraction: the deadline as Unix milliseconds,
// 0 for none.
std::optional<int64_t> deadline_argument(Context& ctx, size_t index);
// The same for XREAD, in whole milliseconds.
std::optional<int64_t> deadline_ms_argument(Context& ctx, size_t index);
std::optional<uint64_t> cursor_argument(Context& ctx, size_t index);

void wrong_argument_count(Context& ctx);
// "ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP."
void wrong_subcommand_syntax(Context& ctx);

// When a key expires, as commands say it: relative or absolute, in seconds or milliseconds.
struct TimeForm {
  bool seconds;
  bool absolute;
};
// Unix milliseconds, or nothing when that is not representable; takes negative values.
std::optional<int64_t> unix_ms_of(int64_t value, TimeForm form, int64_t now_ms);
// "ERR invalid expire time in 'set' command".
void invalid_expire_time(Context& ctx);
// Whether a key that is given this expiry is deleted at once. Not on a replica and not in a
// primary's stream: there only the primary's DEL deletes.
bool is_over(const Context& ctx, int64_t expiry_ms);

// Walks the words behind a command's fixed arguments:
//
//   OptionWords options(ctx, 3);
//   while (!options.done()) {
//     if (options.take("NX")) { ... }
//     else if (options.take("COUNT", 1)) { count = options.integer(); ... }
//     else return ctx.reply.error(kSyntaxError);
//   }
class OptionWords {
 public:
  OptionWords(Context& ctx, size_t first) : ctx_(ctx), next_(first) {}

  bool done() const { return next_ >= ctx_.args.size(); }
  size_t position() const { return next_; }
  Bytes peek() const { return ctx_.args[next_]; }
  // Takes the word (any case) if it is next and has `values` arguments behind it.
  bool take(Bytes word, size_t values = 0);
  Bytes text() { return ctx_.args[next_++]; }
  std::optional<int64_t> integer(Bytes error = kNotInteger) {
    return integer_argument(ctx_, next_++, error);
  }
  std::optional<uint64_t> count(Bytes error) { return count_argument(ctx_, next_++, error); }

 private:
  Context& ctx_;
  size_t next_;
};

// What SCAN, SSCAN, HSCAN and ZSCAN share: the cursor, MATCH and COUNT, and the shape of the reply.
struct ScanOptions {
  uint64_t cursor = 0;
  int64_t count = 10;
  std::optional<Bytes> pattern;
  std::optional<Bytes> type;  // SCAN only

  bool matches(Bytes text) const;
};

// SCAN's cursor and options; has answered if there is nothing.
std::optional<ScanOptions> parse_scan(Context& ctx);
// The options behind a container's cursor. False: an error was answered.
bool parse_scan_words(Context& ctx, size_t first, bool with_type, ScanOptions& options);

// One SCAN of a container: calls `step` (a cursor to the next one) until enough elements were seen,
// and answers. `step` writes its matches to the reply and says how many it saw and wrote.
struct ScanStep {
  uint64_t cursor;
  int64_t seen;
  int64_t written;
  bool refused = false;  // by Context::visit: nothing is answered
};
void reply_scan(Context& ctx, const ScanOptions& options,
                FunctionRef<ScanStep(uint64_t cursor)> step);
void reply_empty_scan(Context& ctx);

// What SSCAN, HSCAN and ZSCAN go through. They look at the key before the options: of an absent key
// anything may be asked. Null: the answer is out.
template <class T>
const T* scanned_container(Context& ctx, ScanOptions& options) {
  const std::optional<uint64_t> cursor = cursor_argument(ctx, 2);
  if (!cursor) return nullptr;
  options.cursor = *cursor;
  const T* container;
  if (!ctx.keys.read(ctx.args[1], container)) {
    ctx.reply.error(kWrongType);
    return nullptr;
  }
  if (container == nullptr) {
    reply_empty_scan(ctx);
    return nullptr;
  }
  return parse_scan_words(ctx, 3, false, options) ? container : nullptr;
}

// HDEL, SREM, ZREM: takes the named elements out and answers how many were there.
template <class T>
void remove_elements(Context& ctx, const KeyEvent& event) {
  Edit<T> container(ctx.keys, ctx.args[1]);
  if (container.is_other_type()) return ctx.reply.error(kWrongType);
  if (!container) return ctx.reply.integer(0);
  T& elements = container.change();
  uint64_t removed = 0;
  for (const Bytes element : ctx.args.subspan(2)) removed += elements.remove(element) ? 1 : 0;
  ctx.reply.integer(static_cast<int64_t>(removed));
  removed > 0 ? container.done(event, removed, as_is(ctx)) : container.unchanged();
}

}  // namespace tandem
