#include "replication/handshake.h"

#include <initializer_list>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/logging.h"
#include "base/number.h"
#include "base/version.h"
#include "resp/request_writer.h"

namespace tandem {

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
Task<Result<void>> tell(LinkWire& wire, std::string what, std::string bytes) {
  auto answer = co_await wire.ask(std::move(bytes));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->starts_with("-")) {
    log_notice("(Non critical) The primary does not understand REPLCONF {}: {}", what,
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
  co_return co_await tell(wire, "version", request({"REPLCONF", "version", kRedisVersion}));
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
