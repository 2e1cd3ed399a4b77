#include "migration/transfer.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "base/number.h"
#include "io/byte_stream.h"
#include "io/timer.h"
#include "resp/request.h"

namespace tandem {
namespace {

// Errors' texts are what clients are told.
std::unexpected<Error> broken(Bytes text) { return fail(ErrorCode::kIo, std::string(text)); }

// The connection as it is talked over: requests, and lines for answers.
class TargetWire {
 public:
  TargetWire(ByteStream& stream, int64_t timeout_ms, StopToken stop)
      : stream_(stream), timeout_ms_(timeout_ms), stop_(stop) {}

  Task<Result<void>> write(std::string bytes) {
    for (Bytes left = bytes; !left.empty();) {
      const Bytes slice = left.substr(0, TransferOrder::kSliceBytes);
      Deadline deadline(stream_.loop(), timeout_ms_, stop_);
      const auto written = co_await stream_.write(slice, deadline.token());
      if (!written) co_return broken(kNotWritten);
      left.remove_prefix(slice.size());
    }
    co_return Result<void>{};
  }

  // kRefused: the target said no.
  Task<Result<void>> read_answer() {
    const Result<std::string> line = co_await read_line();
    if (!line) co_return std::unexpected(line.error());
    if (line->starts_with('+')) co_return Result<void>{};
    if (!line->starts_with('-')) co_return broken(kNotRead);
    co_return fail(ErrorCode::kRefused,
                   "ERR Target instance replied with error: " + line->substr(1));
  }

 private:
  Task<Result<std::string>> read_line() {
    std::string line;
    for (;;) {
      const Bytes there(buffer_.data() + taken_, filled_ - taken_);
      const size_t end = there.find('\n');
      line.append(there.substr(0, end));
      taken_ = end == Bytes::npos ? filled_ : taken_ + end + 1;
      if (line.size() > TransferOrder::kLineBytesMax) co_return broken(kNotRead);
      if (end != Bytes::npos) break;
      Deadline deadline(stream_.loop(), timeout_ms_, stop_);
      const auto count = co_await stream_.read(std::span<char>(buffer_), deadline.token());
      if (!count) co_return broken(kNotRead);
      taken_ = 0;
      filled_ = *count;
    }
    if (line.ends_with('\r')) line.pop_back();
    co_return line;
  }

  ByteStream& stream_;
  const int64_t timeout_ms_;
  const StopToken stop_;
  std::array<char, 4096> buffer_;
  size_t taken_ = 0;
  size_t filled_ = 0;
};

Task<Result<void>> ask(TargetWire& wire, std::vector<Bytes> words) {
  std::string request;
  append_request(request, words);
  const auto written = co_await wire.write(std::move(request));
  if (!written) co_return written;
  co_return co_await wire.read_answer();
}

Task<Result<void>> greet(TargetWire& wire, const TransferOrder& order) {
  if (order.password) {
    std::vector<Bytes> words{"AUTH"};
    if (order.user) words.push_back(*order.user);
    words.push_back(*order.password);
    const auto known = co_await ask(wire, std::move(words));
    if (!known) co_return known;
  }
  const std::string database = int64_text(order.database);
  co_return co_await ask(wire, {"SELECT", database});
}

// Nothing: its time is over.
std::optional<int64_t> ttl_ms(const TransferItem& item, int64_t now_ms) {
  if (item.expiry_ms == kNoExpiry) return 0;
  if (item.expiry_ms < now_ms) return std::nullopt;
  return std::max<int64_t>(item.expiry_ms - now_ms, 1);
}

// Notes in `sent` which items went out, and forgets their payloads. Small ones go together.
Task<Result<void>> send_items(TargetWire& wire, const Clock& clock, TransferOrder& order,
                              std::vector<size_t>& sent) {
  std::string pending;
  for (size_t at = 0; at < order.items.size(); ++at) {
    TransferItem& item = order.items[at];
    const std::optional<int64_t> ttl = ttl_ms(item, clock.unix_ms());
    if (!ttl) continue;
    append_request_header(pending, order.replaces ? 5 : 4);
    for (const Bytes word : {Bytes("RESTORE"), Bytes(item.key)}) append_argument(pending, word);
    append_argument(pending, int64_text(*ttl));
    append_argument(pending, std::exchange(item.payload, {}));
    if (order.replaces) append_argument(pending, "REPLACE");
    sent.push_back(at);
    if (pending.size() < TransferOrder::kSliceBytes) continue;
    const auto written = co_await wire.write(std::exchange(pending, {}));
    if (!written) co_return written;
  }
  co_return co_await wire.write(std::move(pending));
}

// One that was refused leaves the others' answers to be read.
Task<void> read_answers(TargetWire& wire, const std::vector<size_t>& sent,
                        TransferOutcome& outcome) {
  for (const size_t at : sent) {
    const Result<void> answer = co_await wire.read_answer();
    outcome.arrived[at] = answer.has_value();
    if (answer) continue;
    if (outcome.error.empty()) outcome.error = answer.error().text;
    if (answer.error().code != ErrorCode::kRefused) co_return;
  }
}

// As Redis has it: only who finds no address for a name says so, and all else is found out when
// something is to be written.
Task<Result<std::unique_ptr<ByteStream>>> connect(Network& network, const TransferOrder& order,
                                                  StopToken stop) {
  if (order.port < 0) co_return broken(kNoConnection);
  auto stream = co_await network.connect(order.host, static_cast<uint16_t>(order.port),
                                         {.timeout_ms = order.timeout_ms}, stop);
  if (stream) co_return stream;
  co_return broken(stream.error().code == ErrorCode::kInvalid ? kNoConnection : kNotWritten);
}

}  // namespace

Task<TransferOutcome> transfer(Loop& loop, Network& network, TransferOrder order, StopToken stop) {
  TransferOutcome outcome{.arrived = std::vector<bool>(order.items.size())};
  const auto stream = co_await connect(network, order, stop);
  if (!stream) {
    outcome.error = stream.error().text;
    co_return outcome;
  }
  TargetWire wire(**stream, order.timeout_ms, stop);
  std::vector<size_t> sent;
  Result<void> went_out = co_await greet(wire, order);
  if (went_out) went_out = co_await send_items(wire, loop.clock(), order, sent);
  if (went_out) {
    co_await read_answers(wire, sent, outcome);
  } else {
    outcome.error = went_out.error().text;
  }
  co_return outcome;
}

}  // namespace tandem
