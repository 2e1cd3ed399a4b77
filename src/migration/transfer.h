// One transfer of keys to another server, as this server's side of the conversation:
//
//   AUTH [user] password                       +OK      only if there is a password
//   SELECT database                            +OK
//   RESTORE key ttl payload [REPLACE]  ...     +OK      one each, all sent before any is answered
//
// A payload is that of DUMP (rdb/dump.h), a ttl in milliseconds from now or 0. What has expired
// since it was written down is not sent. Keys are sent only once the target has said yes to what
// comes before: a target that lacks the database gets none into another one.
//
// The target's bytes are a stranger's. A line begins with + or -, and ends within kLineBytesMax;
// everything else is as if the connection had broken. Each wait, be it for the connection, for room
// to write kSliceBytes, or for bytes to read, has the same time, and begins anew with the next.
//
// Threads: on the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "io/wait.h"
#include "keyspace/entry.h"

namespace tandem {

struct TransferItem {
  std::string key;
  std::string payload;
  int64_t expiry_ms = kNoExpiry;  // unix time
};

struct TransferOrder {
  static constexpr size_t kSliceBytes = 64 * 1024;
  static constexpr size_t kLineBytesMax = 1024;

  std::string host;
  int64_t port = 0;
  int64_t timeout_ms = 0;  // positive
  std::optional<std::string> user = {};
  std::optional<std::string> password = {};
  int64_t database = 0;
  bool replaces = false;
  std::vector<TransferItem> items = {};
};

struct TransferOutcome {
  // Of each item, in order, whether the target has said that it has it.
  std::vector<bool> arrived = {};
  // The first that went wrong, as clients are told it, without the minus; empty: nothing.
  std::string error = {};
};

// Ends early, with an error, when stopped.
Task<TransferOutcome> transfer(Loop& loop, Network& network, TransferOrder order, StopToken stop);

// Redis's words.
inline constexpr Bytes kNoConnection = "IOERR error or timeout connecting to the client";
inline constexpr Bytes kNotWritten = "IOERR error or timeout writing to target instance";
inline constexpr Bytes kNotRead = "IOERR error or timeout reading to target instance";

}  // namespace tandem
