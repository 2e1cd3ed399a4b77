#include "replication/link_wire.h"

#include <span>
#include <utility>

#include "io/loop.h"
#include "io/timer.h"

namespace tandem {
namespace {

constexpr int64_t kMsPerSecond = 1000;

}  // namespace

Task<Result<void>> LinkWire::write(std::string bytes) {
  Deadline deadline(stream_.loop(), timeout_seconds_.get() * kMsPerSecond, stop_);
  co_return co_await stream_.write(Bytes(bytes), deadline.token());
}

Task<Result<std::string>> LinkWire::read_line() {
  std::string line;
  for (;;) {
    auto bytes = co_await read_some();
    if (!bytes) co_return std::unexpected(bytes.error());
    const size_t end = bytes->find('\n');
    line.append(bytes->substr(0, end));
    take(end == Bytes::npos ? bytes->size() : end + 1);
    if (line.size() > kLineBytesMax) {
      co_return fail(ErrorCode::kLimit, "the primary sent a line that does not end");
    }
    if (end == Bytes::npos) continue;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) co_return line;
  }
}

Task<Result<std::string>> LinkWire::ask(std::string request) {
  auto sent = co_await write(std::move(request));
  if (!sent) co_return std::unexpected(sent.error());
  co_return co_await read_line();
}

Task<Result<Bytes>> LinkWire::read_some() {
  if (taken_ == filled_) {
    auto received = co_await receive();
    if (!received) co_return std::unexpected(received.error());
  }
  co_return Bytes(buffer_.data() + taken_, filled_ - taken_);
}

// Looks at the limit each second: CONFIG SET may change it while the primary is silent.
Task<Result<size_t>> LinkWire::read_within_timeout() {
  for (int64_t silent_seconds = 0;; ++silent_seconds) {
    Deadline second(stream_.loop(), kMsPerSecond, stop_);
    auto count = co_await stream_.read(std::span<char>(buffer_), second.token());
    const bool silent = !count && count.error().code == ErrorCode::kTimeout;
    if (!silent || silent_seconds + 1 >= timeout_seconds_.get()) co_return count;
  }
}

Task<Result<void>> LinkWire::receive() {
  auto count = co_await read_within_timeout();
  if (!count) {
    if (count.error().code == ErrorCode::kEnd) {
      co_return fail(ErrorCode::kEnd, "the primary closed the connection");
    }
    if (count.error().code == ErrorCode::kTimeout) {
      co_return fail(ErrorCode::kTimeout, "the primary was silent for longer than repl-timeout");
    }
    co_return std::unexpected(count.error());
  }
  taken_ = 0;
  filled_ = *count;
  progress_.bytes_received.fetch_add(static_cast<int64_t>(*count));
  progress_.last_io_ms.store(stream_.loop().clock().monotonic_ms());
  co_return Result<void>{};
}

}  // namespace tandem
