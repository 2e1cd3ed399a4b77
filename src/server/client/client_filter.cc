#include "server/client/client_filter.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/number.h"

namespace tandem {
namespace {

Result<std::string> parse_type(Bytes word) {
  std::string type = to_lower(word);
  if (type == "slave") type = "replica";
  for (const Bytes known : {"normal", "master", "replica", "pubsub"}) {
    if (type == known) return type;
  }
  return fail(ErrorCode::kInvalid, fmt::format("ERR Unknown client type '{}'", word));
}

std::unexpected<Error> syntax_error() { return fail(ErrorCode::kInvalid, "ERR syntax error"); }

Result<void> apply_kill_option(ClientFilter& filter, Bytes option, Bytes value) {
  if (equal_ignore_case(option, "ID")) {
    const auto id = parse_int64(value);
    if (!id || *id < 1) {
      return fail(ErrorCode::kInvalid, "ERR client-id should be greater than 0");
    }
    filter.id = static_cast<uint64_t>(*id);
  } else if (equal_ignore_case(option, "TYPE")) {
    auto type = parse_type(value);
    if (!type) return std::unexpected(type.error());
    filter.type = std::move(*type);
  } else if (equal_ignore_case(option, "ADDR")) {
    filter.address = std::string(value);
  } else if (equal_ignore_case(option, "LADDR")) {
    filter.local_address = std::string(value);
  } else if (equal_ignore_case(option, "USER")) {
    if (value != "default") {
      return fail(ErrorCode::kInvalid, fmt::format("ERR No such user '{}'", value));
    }
    filter.user = std::string(value);
  } else if (equal_ignore_case(option, "SKIPME")) {
    if (!equal_ignore_case(value, "yes") && !equal_ignore_case(value, "no")) return syntax_error();
    filter.skip_self = equal_ignore_case(value, "yes");
  } else {
    return syntax_error();
  }
  return {};
}

}  // namespace

bool ClientFilter::matches(const ClientCard& card) const {
  if (type && client_type(card) != *type) return false;
  if (address && card.address != *address) return false;
  if (local_address && card.local_address != *local_address) return false;
  if (user && card.user.get() != *user) return false;
  return !id || card.id == *id;
}

Result<ClientFilter> parse_kill_filter(std::span<const Bytes> args) {
  ClientFilter filter;
  if (args.size() % 2 != 0) return syntax_error();
  for (size_t at = 0; at < args.size(); at += 2) {
    if (auto done = apply_kill_option(filter, args[at], args[at + 1]); !done) {
      return std::unexpected(done.error());
    }
  }
  return filter;
}

Result<ClientFilter> parse_list_filter(std::span<const Bytes> args) {
  ClientFilter filter;
  if (args.empty()) return filter;
  if (args.size() == 2 && equal_ignore_case(args[0], "TYPE")) {
    auto type = parse_type(args[1]);
    if (!type) return std::unexpected(type.error());
    filter.type = std::move(*type);
    return filter;
  }
  if (args.size() < 2 || !equal_ignore_case(args[0], "ID")) return syntax_error();
  for (const Bytes word : args.subspan(1)) {
    const auto id = parse_int64(word);
    if (!id) return fail(ErrorCode::kInvalid, "ERR Invalid client ID");
    filter.listed_ids.push_back(static_cast<uint64_t>(*id));
  }
  return filter;
}

}  // namespace tandem
