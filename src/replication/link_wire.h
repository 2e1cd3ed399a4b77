// What the link to a primary says and hears: lines and raw bytes, the handshake that opens it, and
// the snapshot of a full sync.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/option.h"
#include "base/result.h"
#include "engine/dataset_load.h"
#include "io/byte_stream.h"
#include "io/loop.h"
#include "io/task.h"
#include "io/wait.h"
#include "log/log.h"
#include "replication/link_progress.h"

namespace tandem {

// The connection to a primary as the link talks to it: lines, then raw bytes, with one limit on
// silence. Confined to the link's loop; the stream outlives it. One read and one write at a time.
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
  // Bytes that have come, at least one, to a place of the caller's.
  Task<Result<size_t>> read(std::span<char> place);
  // The same, but without waiting: perhaps none. What ended the stream the next read() says.
  size_t read_at_hand(std::span<char> place);

 private:
  Task<Result<size_t>> receive(std::span<char> place);
  Task<Result<size_t>> read_within_timeout(std::span<char> place);
  void note_received(size_t count);

  ByteStream& stream_;
  const Option<int64_t>& timeout_seconds_;
  LinkProgress& progress_;
  const StopToken stop_;
  std::array<char, 256 * 1024> buffer_;
  size_t taken_ = 0;
  size_t filled_ = 0;
};

// The snapshot of a full sync as it goes over the wire, after +FULLRESYNC:
//
//   transfer = "$EOF:" mark{40 bytes} "\r\n" rdb mark     the length is not known: the mark says
//                                                         where it ends
//            | "$" length "\r\n" rdb
//
// A receiver that says `capa eof` may get the first form.

inline constexpr size_t kTransferMarkBytes = 40;

struct TransferHeader {
  std::optional<std::string> mark;
  uint64_t length = 0;  // where there is no mark
};

std::string transfer_header_bytes(const TransferHeader& header);
Result<TransferHeader> parse_transfer_header(Bytes line);

Task<Result<TransferHeader>> read_transfer_header(LinkWire& wire);
// Receives the rest of the transfer into `load`, whose data stay apart until somebody installs
// them. An error leaves everything that was there before as it was.
Task<Result<void>> receive_snapshot(LinkWire& wire, TransferHeader header, DatasetLoad& load,
                                    LinkProgress& progress);

// The conversation that opens a link, from PING to the answer to PSYNC, as it goes over the wire:
//
//   PING                                  +PONG  (or -NOAUTH, -NOPERM: AUTH comes next)
//   AUTH [user] password                  +OK
//   REPLCONF listening-port 6380          +OK
//   REPLCONF ip-address 10.0.0.2          +OK    only where configured
//   REPLCONF capa eof capa psync2         +OK
//   PSYNC <id> <next byte> | PSYNC ? -1   +FULLRESYNC <id> <offset> | +CONTINUE [<id>]

// How this server presents itself.
struct LinkIdentity {
  std::string user;
  std::string password;  // empty: no AUTH
  int listening_port = 0;
  std::string announced_ip;  // empty: the primary sees it itself
};

// Up to, not including, PSYNC. kRefused: the primary said no.
Task<Result<void>> greet(LinkWire& wire, LinkIdentity identity);

struct FullResync {
  Position position;  // where the snapshot's cut is
};
struct Continue {
  std::optional<ReplicationId> id;  // the history goes on under this id
};
using SyncAnswer = std::variant<FullResync, Continue>;

// `position`: what this server holds; nothing: it asks for a full sync.
Task<Result<SyncAnswer>> ask_for_stream(LinkWire& wire, std::optional<Position> position);

// The lines alone.
std::string sync_request_bytes(const std::optional<Position>& position);
Result<SyncAnswer> parse_sync_answer(Bytes line);

}  // namespace tandem
