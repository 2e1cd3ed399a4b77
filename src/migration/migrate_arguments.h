// MIGRATE's arguments:
//
//   MIGRATE host port key|"" destination-db timeout [COPY] [REPLACE]
//           [AUTH password | AUTH2 username password] [KEYS key [key ...]]
//
// KEYS is the last word that counts, and the one key before is empty then. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "engine/context.h"

namespace tandem {

// Views into the arguments of the call.
struct MigrateArguments {
  Bytes host;
  int64_t port = 0;  // 0: it was no number
  int64_t database = 0;
  int64_t timeout_ms = 0;  // positive
  bool copies = false;
  bool replaces = false;
  std::optional<Bytes> user = {};
  std::optional<Bytes> password = {};
  std::span<const Bytes> keys = {};
};

// Nothing: the error is written.
std::optional<MigrateArguments> parse_migrate(Context& c);

// For the row. Where the one key stands, and the first of several; 0: there is none of this kind.
int lone_key_in(std::span<const Bytes> args);
int first_of_keys_in(std::span<const Bytes> args);
// A password, or the name of a user.
bool hides_in_migrate(std::span<const Bytes> args, size_t at);

}  // namespace tandem
