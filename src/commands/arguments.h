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

std::optional<int64_t> integer_argument(Context& ctx, size_t index, Bytes error = kNotInteger);
// Database numbers and the like: 32 bits. `error`, if given, is for all that is none.
std::optional<int> small_integer_argument(Context& ctx, size_t index, Bytes error = {});
// How many elements: not negative.
std::optional<uint64_t> count_argument(Context& ctx, size_t index,
                                       Bytes error = kNoPositiveInteger);
// At least one.
std::optional<uint64_t> positive_argument(Context& ctx, size_t index, Bytes error);
// A number whose sign means a direction: each has its counterpart.
std::optional<int64_t> symmetric_integer_argument(Context& ctx, size_t index);
// Where a bit of a string is: not behind the longest string that commands may build, but for a
// primary's stream. With `field_bits` "#3" is the place behind three fields of so many bits.
std::optional<uint64_t> bit_offset_argument(Context& ctx, size_t index, int field_bits = 0);
std::optional<double> double_argument(Context& ctx, size_t index, Bytes error = kNotFloat);
// The timeout of a blocking command, in seconds with a fraction: the deadline as Unix milliseconds,
// 0 for none.
std::optional<int64_t> deadline_argument(Context& ctx, size_t index);
// The same for XREAD, in whole milliseconds.
std::optional<int64_t> deadline_ms_argument(Context& ctx, size_t index);
std::optional<uint64_t> cursor_argument(Context& ctx, size_t index);

void wrong_argument_count(Context& ctx);

// Start and stop of a part of a string, both in it; negative ones count from the end.
struct StringRange {
  int64_t start;
  int64_t stop;

  // The stop comes first, however long the string is.
  bool is_reversed() const { return start < 0 && stop < 0 && start > stop; }
  struct Places {
    uint64_t first;
    uint64_t last;
  };
  // Both ends moved to what there is of a string of this size; nothing: no place is between them.
  std::optional<Places> within(uint64_t size) const;
};
std::optional<StringRange> range_argument(Context& ctx, size_t first);

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

// What the commands take that pop from the first of several keys:
// "numkeys key [key ...] end [COUNT count]".
struct PopArguments {
  std::span<const Bytes> keys;
  bool from_first;  // the end that `first_end` names (LEFT, MIN), not `last_end` (RIGHT, MAX)
  uint64_t count = 1;
};
std::optional<PopArguments> pop_arguments(Context& ctx, size_t index, Bytes first_end,
                                          Bytes last_end);

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
  void skip(size_t words) { next_ += words; }
  std::optional<int64_t> integer(Bytes error = kNotInteger) {
    return integer_argument(ctx_, next_++, error);
  }
  std::optional<uint64_t> count(Bytes error) { return count_argument(ctx_, next_++, error); }
  std::optional<uint64_t> positive(Bytes error) { return positive_argument(ctx_, next_++, error); }

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

}  // namespace tandem
