#include "replication/snapshot_transfer.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/number.h"
#include "base/thread.h"

namespace tandem {

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

}  // namespace tandem
