#include "commands/stream_entries.h"

namespace tandem {

void reply_entries(ReplyWriter& reply, const Stream& stream, const EntryRange& range) {
  const ReplyWriter::Mark array = reply.begin_array();
  uint64_t count = 0;
  stream.for_each(range.first, range.last, range.backwards,
                  [&](StreamId id, std::span<const Element> fields_and_values) {
                    reply.array(2);
                    reply.bulk(id.text());
                    reply.array(static_cast<int64_t>(fields_and_values.size()));
                    for (const Element& element : fields_and_values) reply.bulk(element.text());
                    return ++count != range.count_max;
                  });
  reply.end_array(array, static_cast<int64_t>(count));
}

}  // namespace tandem
