// LCS: the longest common subsequence of two strings.
#include <cstring>
#include <limits>

#include "commands/arguments.h"
#include "commands/table.h"
#include "data/common_subsequence.h"

namespace tandem {
namespace {

struct LcsOptions {
  bool length = false;
  bool indexes = false;
  bool with_lengths = false;
  int64_t shortest = 0;
};

bool parse_options(Context& ctx, LcsOptions& options) {
  for (OptionWords words(ctx, 3); !words.done();) {
    if (words.take("IDX")) {
      options.indexes = true;
    } else if (words.take("LEN")) {
      options.length = true;
    } else if (words.take("WITHMATCHLEN")) {
      options.with_lengths = true;
    } else if (words.take("MINMATCHLEN", 1)) {
      const std::optional<int64_t> shortest = words.integer();
      if (!shortest) return false;
      options.shortest = *shortest;
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  if (options.indexes && options.length) {
    ctx.reply.error("ERR If you want both the length and indexes, please just use IDX.");
    return false;
  }
  return true;
}

// Redis's table has four bytes a cell. Ours is smaller; what is refused is the same.
bool is_too_large(Context& ctx, Bytes first, Bytes second) {
  constexpr uint64_t kCellBytes = 4;
  constexpr uint64_t kSizeMax = std::numeric_limits<uint32_t>::max() - 2;
  if (first.size() > kSizeMax || second.size() > kSizeMax) {
    ctx.reply.error("ERR String too long for LCS");
    return true;
  }
  const uint64_t cells = (uint64_t{first.size()} + 1) * (uint64_t{second.size()} + 1);
  if (cells <= ctx.keys.limits().string_bytes_max / kCellBytes) return false;
  ctx.reply.error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  return true;
}

void reply_place(Context& ctx, size_t first, size_t bytes) {
  ctx.reply.array(2);
  ctx.reply.integer(static_cast<int64_t>(first));
  ctx.reply.integer(static_cast<int64_t>(first + bytes - 1));
}

void reply_matches(Context& ctx, const CommonSubsequence& common, const LcsOptions& options) {
  ctx.reply.map(2);
  ctx.reply.bulk("matches");
  const ReplyWriter::Mark array = ctx.reply.begin_array();
  int64_t matches = 0;
  int64_t length = 0;
  common.for_each_match([&](const CommonSubsequence::Match& match) {
    const auto bytes = static_cast<int64_t>(match.bytes);
    length += bytes;
    if (bytes < options.shortest) return;
    ++matches;
    ctx.reply.array(options.with_lengths ? 3 : 2);
    reply_place(ctx, match.in_first, match.bytes);
    reply_place(ctx, match.in_second, match.bytes);
    if (options.with_lengths) ctx.reply.integer(bytes);
  });
  ctx.reply.end_array(array, matches);
  ctx.reply.bulk("len");
  ctx.reply.integer(length);
}

std::string text_of(const CommonSubsequence& common, Bytes first) {
  std::string backwards;
  common.for_each_match([&](const CommonSubsequence::Match& match) {
    const Bytes part = first.substr(match.in_first, match.bytes);
    backwards.append(part.rbegin(), part.rend());
  });
  return {backwards.rbegin(), backwards.rend()};
}

void lcs(Context& ctx) {
  StringText texts[2];
  const bool first_fits = ctx.keys.read_text(ctx.args[1], texts[0]);
  const bool second_fits = ctx.keys.read_text(ctx.args[2], texts[1]);
  if (!first_fits || !second_fits) {
    return ctx.reply.error("ERR The specified keys must contain string values");
  }
  LcsOptions options;
  if (!parse_options(ctx, options)) return;
  const Bytes first = texts[0] ? *texts[0] : Bytes();
  const Bytes second = texts[1] ? *texts[1] : Bytes();
  if (is_too_large(ctx, first, second)) return;
  const CommonSubsequence common(first, second);
  if (options.indexes) return reply_matches(ctx, common, options);
  if (options.length) return ctx.reply.integer(static_cast<int64_t>(common.length()));
  ctx.reply.bulk(text_of(common, first));
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "lcs", .arity = -3, .flags = kReadOnly,
     .keys = {keys_range(1, 1, 1, "RO access")}, .handler = lcs, .group = "string",
     .since = "7.0.0", .complexity = "O(N*M) for N and M bytes",
     .summary = "Finds the longest subsequence that two strings have in common",
     .syntax = "key1:key key2:key [LEN] [IDX] [MINMATCHLEN min-match-len:integer] "
               "[WITHMATCHLEN]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> lcs_rows() { return kRows; }

}  // namespace tandem
