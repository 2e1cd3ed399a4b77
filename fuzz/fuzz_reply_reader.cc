// Property: a stream of replies reads the same however it is cut, malformed or not. The first byte
// chooses the cuts and the limits.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "resp/reply_reader.h"

namespace {

using tandem::Bytes;
using tandem::Reply;

void describe(const Reply& reply, std::string& out) {
  out += static_cast<char>('a' + static_cast<int>(reply.kind));
  out += reply.null_array ? '1' : '0';
  out += std::to_string(reply.integer) + "/" + std::to_string(reply.text.size()) + ":";
  out += reply.text + reply.format + "[";
  for (const Reply& element : reply.elements) describe(element, out);
  out += "]";
}

std::string read_all(Bytes bytes, const tandem::ReplyLimits& limits, uint64_t seed) {
  tandem::Random random(seed);
  tandem::ReplyReader reader(limits);
  std::string out;
  while (!bytes.empty()) {
    const Bytes piece = bytes.substr(0, seed == 0 ? bytes.size() : 1 + random.below(9));
    const tandem::Result<size_t> taken = reader.feed(piece);
    if (!taken) return out + "malformed";
    CHECK(*taken > 0 && *taken <= piece.size(), "feeding makes progress");
    CHECK(reader.ready() || *taken == piece.size(), "only a whole reply stops the reader");
    bytes.remove_prefix(*taken);
    if (reader.ready()) describe(reader.take(), out);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  tandem::ReplyLimits limits;
  if ((data[0] & 1) != 0) {
    limits = {.depth_max = 3, .elements_max = 8, .bytes_max = 64, .line_bytes_max = 16};
  }
  const Bytes bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  CHECK(read_all(bytes, limits, 0) == read_all(bytes, limits, 1 + data[0]),
        "the cuts change nothing");
  return 0;
}
