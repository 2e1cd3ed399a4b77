// Property: a stream of requests parses to the same requests however it is cut, the raw slices are
// the stream, and an array written anew from its arguments parses to the same arguments. The first
// byte chooses the cuts and limits.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "resp/request.h"

namespace {

using tandem::Bytes;

struct Outcome {
  std::vector<std::vector<std::string>> requests;
  std::string raw;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

Outcome parse(Bytes bytes, tandem::RequestLimits limits, uint64_t seed) {
  tandem::Random random(seed);
  tandem::RequestParser parser(limits);
  Outcome outcome;
  std::string buffer;
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t piece = seed == 0 ? bytes.size() : 1 + random.below(9);
    // A new buffer each time: the parser must not remember where the old one lay.
    std::string moved = buffer + std::string(bytes.substr(at, piece));
    buffer.swap(moved);
    at += piece;
    size_t used = 0;
    for (;;) {
      const tandem::ParseStatus status = parser.next(Bytes(buffer).substr(used));
      if (status == tandem::ParseStatus::kNeedMore) break;
      if (status == tandem::ParseStatus::kError) {
        CHECK(!parser.error().empty(), "an error has a text");
        outcome.error = parser.error();
        return outcome;
      }
      outcome.requests.emplace_back(parser.args().begin(), parser.args().end());
      CHECK(!parser.raw().empty(), "a request takes bytes");
      outcome.raw += parser.raw();
      used += parser.raw().size();
    }
    buffer.erase(0, used);
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  tandem::RequestLimits limits;
  limits.authenticated = (data[0] & 1) == 0;
  limits.bulk_bytes_max = (data[0] & 2) == 0 ? 1 << 20 : 100;
  const Bytes bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = parse(bytes, limits, 0);
  CHECK(whole == parse(bytes, limits, 1 + data[0]), "the cuts change nothing");
  CHECK(bytes.starts_with(whole.raw), "raw slices are the stream");
  for (const std::vector<std::string>& request : whole.requests) {
    if (request.empty()) continue;
    std::string again;
    tandem::append_request(again, request);
    const Outcome second = parse(again, {}, 0);
    CHECK(second.requests.size() == 1 && second.requests[0] == request, "written and read again");
  }
  return 0;
}
