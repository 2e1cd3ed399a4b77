#include "replication/link_wire.h"

#include <algorithm>
#include <initializer_list>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/logging.h"
#include "base/number.h"
#include "base/thread.h"
#include "base/version.h"
#include "io/loop.h"
#include "io/timer.h"
#include "resp/request.h"

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
    auto received = co_await receive(buffer_);
    if (!received) co_return std::unexpected(received.error());
    taken_ = 0;
    filled_ = *received;
  }
  co_return Bytes(buffer_.data() + taken_, filled_ - taken_);
}

Task<Result<size_t>> LinkWire::read(std::span<char> place) {
  if (taken_ == filled_) co_return co_await receive(place);
  const size_t count = std::min(place.size(), filled_ - taken_);
  std::copy_n(buffer_.data() + taken_, count, place.data());
  take(count);
  co_return count;
}

size_t LinkWire::read_at_hand(std::span<char> place) {
  if (taken_ != filled_ || place.empty()) return 0;
  const size_t count = stream_.try_read(place).value_or(0);
  if (count != 0) note_received(count);
  return count;
}

// Looks at the limit each second: CONFIG SET may change it while the primary is silent.
Task<Result<size_t>> LinkWire::read_within_timeout(std::span<char> place) {
  for (int64_t silent_seconds = 0;; ++silent_seconds) {
    Deadline second(stream_.loop(), kMsPerSecond, stop_);
    auto count = co_await stream_.read(place, second.token());
    const bool silent = !count && count.error().code == ErrorCode::kTimeout;
    if (!silent || silent_seconds + 1 >= timeout_seconds_.get()) co_return count;
  }
}

Task<Result<size_t>> LinkWire::receive(std::span<char> place) {
  auto count = co_await read_within_timeout(place);
  if (!count) {
    if (count.error().code == ErrorCode::kEnd) {
      co_return fail(ErrorCode::kEnd, "the primary closed the connection");
    }
    if (count.error().code == ErrorCode::kTimeout) {
      co_return fail(ErrorCode::kTimeout, "the primary was silent for longer than repl-timeout");
    }
    co_return std::unexpected(count.error());
  }
  note_received(*count);
  co_return count;
}

void LinkWire::note_received(size_t count) {
  progress_.bytes_received.fetch_add(static_cast<int64_t>(count));
  progress_.last_io_ms.store(stream_.loop().clock().monotonic_ms());
}

namespace {

constexpr uint64_t kPieceBytes = 8 * 1024;  // some hundreds of microseconds

Task<Result<void>> receive_mark(LinkWire& wire, std::string mark) {
  std::string received;
  while (received.size() < mark.size()) {
    auto bytes = co_await wire.read_some();
    if (!bytes) co_return std::unexpected(bytes.error());
    const Bytes part = bytes->substr(0, mark.size() - received.size());
    received.append(part);
    wire.take(part.size());
  }
  if (received != mark) {
    co_return fail(ErrorCode::kInvalid, "the snapshot does not end in the mark it announced");
  }
  co_return Result<void>{};
}

}  // namespace

std::string transfer_header_bytes(const TransferHeader& header) {
  if (header.mark) return fmt::format("$EOF:{}\r\n", *header.mark);
  return fmt::format("${}\r\n", header.length);
}

Result<TransferHeader> parse_transfer_header(Bytes line) {
  const Bytes marked = "$EOF:";
  if (line.starts_with(marked)) {
    const Bytes mark = line.substr(marked.size());
    if (mark.size() == kTransferMarkBytes) return TransferHeader{.mark = std::string(mark)};
  } else if (line.starts_with("$")) {
    const auto length = parse_uint64(line.substr(1));
    if (length) return TransferHeader{.mark = std::nullopt, .length = *length};
  }
  const ErrorCode code = line.starts_with("-") ? ErrorCode::kRefused : ErrorCode::kInvalid;
  return fail(code, fmt::format("instead of a snapshot the primary sent: {}", line.substr(0, 100)));
}

Task<Result<TransferHeader>> read_transfer_header(LinkWire& wire) {
  auto line = co_await wire.read_line();
  if (!line) co_return std::unexpected(line.error());
  co_return parse_transfer_header(*line);
}

Task<Result<void>> receive_snapshot(LinkWire& wire, TransferHeader header, DatasetLoad& load,
                                    LinkProgress& progress) {
  progress.snapshot_bytes_total.store(header.mark ? -1 : static_cast<int64_t>(header.length));
  uint64_t left = header.mark ? UINT64_MAX : header.length;
  Breather breather(wire.clock());
  while (!load.ended()) {
    breather.take_at_times();
    if (left == 0) co_return fail(ErrorCode::kInvalid, "the snapshot is longer than announced");
    breather.begin_wait();
    auto bytes = co_await wire.read_some();
    breather.end_wait();
    if (!bytes) co_return std::unexpected(bytes.error());
    auto loaded = load.feed(bytes->substr(0, std::min<uint64_t>(left, kPieceBytes)));
    if (!loaded) co_return std::unexpected(loaded.error());
    wire.take(*loaded);
    left -= *loaded;
    progress.snapshot_bytes_read.fetch_add(static_cast<int64_t>(*loaded));
    progress.snapshot_keys_read.store(load.keys());
  }
  if (header.mark) co_return co_await receive_mark(wire, std::move(*header.mark));
  if (left != 0) co_return fail(ErrorCode::kInvalid, "the snapshot is shorter than announced");
  co_return Result<void>{};
}

namespace {

constexpr size_t kShownBytesMax = 256;

std::string request(std::initializer_list<Bytes> args) {
  std::string bytes;
  append_request(bytes, args);
  return bytes;
}

// Before authentication a PING may be refused for just that reason.
bool is_alive(const std::string& answer) {
  return answer.starts_with("+") || answer.starts_with("-NOAUTH") ||
         answer.starts_with("-NOPERM") || answer.starts_with("-ERR operation not permitted");
}

// A primary that does not know an option of REPLCONF can still serve us.
Task<Result<void>> tell(LinkWire& wire, std::string what, std::string bytes,
                        LogLevel level = LogLevel::kNotice) {
  auto answer = co_await wire.ask(std::move(bytes));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->starts_with("-")) {
    log_line_at(level, "(Non critical) The primary does not understand REPLCONF {}: {}", what,
                printable(*answer, kShownBytesMax));
  }
  co_return Result<void>{};
}

}  // namespace

Task<Result<void>> greet(LinkWire& wire, LinkIdentity identity) {
  auto pong = co_await wire.ask(request({"PING"}));
  if (!pong) co_return std::unexpected(pong.error());
  if (!is_alive(*pong)) {
    co_return fail(ErrorCode::kRefused, fmt::format("the primary answered PING with: {}", *pong));
  }

  if (!identity.password.empty()) {
    auto answer = co_await wire.ask(identity.user.empty()
                                        ? request({"AUTH", identity.password})
                                        : request({"AUTH", identity.user, identity.password}));
    if (!answer) co_return std::unexpected(answer.error());
    if (!answer->starts_with("+")) {
      co_return fail(ErrorCode::kRefused, fmt::format("the primary refused AUTH: {}", *answer));
    }
  }

  const std::string port = int64_text(identity.listening_port);
  auto told = co_await tell(wire, "listening-port", request({"REPLCONF", "listening-port", port}));
  if (!told) co_return told;
  if (!identity.announced_ip.empty()) {
    told = co_await tell(wire, "ip-address",
                         request({"REPLCONF", "ip-address", identity.announced_ip}));
    if (!told) co_return told;
  }
  told = co_await tell(wire, "capa", request({"REPLCONF", "capa", "eof", "capa", "psync2"}));
  if (!told) co_return told;
  // By which a primary that knows the word chooses the version of its snapshot.
  // No redis-server before 7.4 does.
  co_return co_await tell(wire, "version", request({"REPLCONF", "version", kRedisVersion}),
                          LogLevel::kVerbose);
}

std::string sync_request_bytes(const std::optional<Position>& position) {
  if (!position) return request({"PSYNC", "?", "-1"});
  const std::string next_byte = int64_text(static_cast<int64_t>(position->offset) + 1);
  return request({"PSYNC", position->id.text(), next_byte});
}

Result<SyncAnswer> parse_sync_answer(Bytes line) {
  const Bytes full = "+FULLRESYNC ";
  const Bytes partial = "+CONTINUE";
  if (line.starts_with(full)) {
    const Bytes rest = line.substr(full.size());
    const size_t space = rest.find(' ');
    const auto id = ReplicationId::parse(rest.substr(0, space));
    const auto offset = space == Bytes::npos ? std::nullopt : parse_uint64(rest.substr(space + 1));
    if (!id || !offset || *offset > INT64_MAX) {
      return fail(ErrorCode::kInvalid, fmt::format("the primary answered PSYNC with: {}", line));
    }
    return FullResync{.position = {.id = *id, .offset = *offset}};
  }
  if (line == partial) return Continue{};
  if (line.starts_with(partial) && line[partial.size()] == ' ') {
    const auto id = ReplicationId::parse(line.substr(partial.size() + 1));
    if (id) return Continue{.id = *id};
  }
  const ErrorCode code = line.starts_with("-") ? ErrorCode::kRefused : ErrorCode::kInvalid;
  return fail(code, fmt::format("the primary answered PSYNC with: {}", line));
}

Task<Result<SyncAnswer>> ask_for_stream(LinkWire& wire, std::optional<Position> position) {
  auto line = co_await wire.ask(sync_request_bytes(position));
  if (!line) co_return std::unexpected(line.error());
  auto answer = parse_sync_answer(*line);
  if (answer && !position && std::holds_alternative<Continue>(*answer)) {
    co_return fail(ErrorCode::kInvalid,
                   fmt::format("the primary answered a request for a full sync with: {}", *line));
  }
  co_return answer;
}

}  // namespace tandem
