// The connection to a primary as the link talks to it: lines, then raw bytes, with one limit on
// silence. Confined to the link's loop; the stream outlives it. One read and one write at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/option.h"
#include "base/result.h"
#include "io/byte_stream.h"
#include "io/loop.h"
#include "io/stop.h"
#include "io/task.h"
#include "replication/link_progress.h"

namespace tandem {

class LinkWire {
 public:
  static constexpr size_t kLineBytesMax = 64 * 1024;

  // Silence of `timeout_seconds`, as they are by then, ends a read or write with kTimeout.
  LinkWire(ByteStream& stream, const Option<int64_t>& timeout_seconds, LinkProgress& progress,
           StopToken stop)
      : stream_(stream), timeout_seconds_(timeout_seconds), progress_(progress), stop_(stop) {}

  Task<Result<void>> write(std::string bytes);
  // The next line without its end. Empty lines, with which a primary shows that it is alive, are
  // passed over.
  Task<Result<std::string>> read_line();
  // Sends and reads one line.
  Task<Result<std::string>> ask(std::string request);
  // Bytes that have come and were not taken yet, at least one; valid until the next read.
  Task<Result<Bytes>> read_some();
  const Clock& clock() const { return stream_.loop().clock(); }
  // The reader is done with the first `count` bytes of what read_some() gave.
  void take(size_t count) { taken_ += count; }

 private:
  Task<Result<void>> receive();
  Task<Result<size_t>> read_within_timeout();

  ByteStream& stream_;
  const Option<int64_t>& timeout_seconds_;
  LinkProgress& progress_;
  const StopToken stop_;
  std::array<char, 64 * 1024> buffer_;
  size_t taken_ = 0;
  size_t filled_ = 0;
};

}  // namespace tandem
