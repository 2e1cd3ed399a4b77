// Entries of a stream as replies show them.
#pragma once

#include <cstdint>

#include "data/stream.h"
#include "resp/reply_writer.h"

namespace tandem {

struct EntryRange {
  StreamId first;
  StreamId last;
  bool backwards = false;
  uint64_t count_max = 0;  // 0: no limit
};

// [[id, [field, value, ...]], ...]
void reply_entries(ReplyWriter& reply, const Stream& stream, const EntryRange& range);

}  // namespace tandem
