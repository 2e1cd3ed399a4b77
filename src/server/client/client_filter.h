// Which clients CLIENT LIST and CLIENT KILL mean.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "server/client/client_registry.h"

namespace tandem {

struct ClientFilter {
  std::optional<std::string> type;  // as client_type() says it
  std::optional<std::string> address;
  std::optional<std::string> local_address;
  std::optional<std::string> user;
  std::optional<uint64_t> id;
  // CLIENT LIST's, in the order given and as often; empty: all. matches() leaves them alone.
  std::vector<uint64_t> listed_ids;
  bool skip_self = true;  // CLIENT KILL's default

  bool matches(const ClientCard& card) const;
};

// The arguments behind CLIENT KILL, in the form with filters. The error is the reply.
Result<ClientFilter> parse_kill_filter(std::span<const Bytes> args);
// The arguments behind CLIENT LIST.
Result<ClientFilter> parse_list_filter(std::span<const Bytes> args);

}  // namespace tandem
