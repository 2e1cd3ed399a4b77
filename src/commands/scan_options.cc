#include "commands/scan_options.h"

#include "base/glob.h"
#include "base/number.h"
#include "commands/arguments.h"

namespace tandem {

bool ScanOptions::matches(Bytes text) const { return !pattern || glob_match(*pattern, text); }

std::optional<ScanOptions> parse_scan(Context& ctx) {
  ScanOptions options;
  const std::optional<uint64_t> cursor = cursor_argument(ctx, 1);
  if (!cursor) return std::nullopt;
  options.cursor = *cursor;
  if (!parse_scan_words(ctx, 2, true, options)) return std::nullopt;
  return options;
}

bool parse_scan_words(Context& ctx, size_t first, bool with_type, ScanOptions& options) {
  for (OptionWords words(ctx, first); !words.done();) {
    if (words.take("COUNT", 1)) {
      const std::optional<int64_t> count = words.integer();
      if (!count) return false;
      if (*count < 1) {
        ctx.reply.error(kSyntaxError);
        return false;
      }
      options.count = *count;
    } else if (words.take("MATCH", 1)) {
      const Bytes pattern = words.text();
      if (pattern != "*") options.pattern = pattern;
    } else if (with_type && words.take("TYPE", 1)) {
      options.type = words.text();
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

namespace {

// The cursor goes before elements whose number is known only afterwards.
void finish(Context& ctx, ReplyWriter::Mark start, uint64_t cursor, int64_t count) {
  const std::string elements(ctx.reply.written_since(start));
  ctx.reply.discard_to(start);
  char digits[kInt64TextMax];
  ctx.reply.array(2);
  ctx.reply.bulk({digits, write_uint64(digits, cursor)});
  ctx.reply.array(count);
  ctx.reply.raw(elements);
}

}  // namespace

void reply_scan(Context& ctx, const ScanOptions& options,
                FunctionRef<ScanStep(uint64_t cursor)> step) {
  const ReplyWriter::Mark start = ctx.reply.mark();
  uint64_t cursor = options.cursor;
  int64_t seen = 0;
  int64_t written = 0;
  do {
    const ScanStep done = step(cursor);
    if (done.refused) return;
    cursor = done.cursor;
    seen += done.seen;
    written += done.written;
  } while (cursor != 0 && seen < options.count);
  finish(ctx, start, cursor, written);
}

void reply_empty_scan(Context& ctx) {
  ctx.reply.array(2);
  ctx.reply.bulk("0");
  ctx.reply.array(0);
}

}  // namespace tandem
