// The conversation that opens a link, from PING to the answer to PSYNC, as it goes over the wire:
//
//   PING                                  +PONG  (or -NOAUTH, -NOPERM: AUTH comes next)
//   AUTH [user] password                  +OK
//   REPLCONF listening-port 6380          +OK
//   REPLCONF ip-address 10.0.0.2          +OK    only where configured
//   REPLCONF capa eof capa psync2         +OK
//   PSYNC <id> <next byte> | PSYNC ? -1   +FULLRESYNC <id> <offset> | +CONTINUE [<id>]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "io/task.h"
#include "log/log.h"
#include "replication/link_wire.h"

namespace tandem {

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
