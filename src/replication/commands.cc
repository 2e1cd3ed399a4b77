#include "replication/commands.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/error_text.h"
#include "base/logging.h"
#include "base/number.h"
#include "engine/blocked_clients.h"
#include "engine/context.h"
#include "rdb/rdb_format.h"
#include "replication/info.h"
#include "resp/request.h"

namespace tandem {

namespace {

void replicaof(ReplicationControl& control, SessionContext& c) {
  if (equal_ignore_case(c.args[1], "no") && equal_ignore_case(c.args[2], "one")) {
    if (control.is_replica()) {
      control.promote(c.keys.all_stripes());
      log_notice("PRIMARY MODE enabled (client {} asked for it)", c.client.id);
    }
    return c.reply.ok();
  }
  const auto port = parse_int64(c.args[2]);
  if (!port || *port < 0 || *port > 65535) return c.reply.error("ERR Invalid master port");
  const Role wanted =
      ReplicaRole{.primary_host = std::string(c.args[1]), .primary_port = static_cast<int>(*port)};
  if (control.view().role == wanted) {
    control.retry_link();
    return c.reply.simple("OK Already connected to specified master");
  }
  control.follow(c.keys.all_stripes(), std::string(c.args[1]), static_cast<int>(*port));
  log_notice("REPLICAOF {}:{} enabled (client {} asked for it)", c.args[1], *port, c.client.id);
  c.reply.ok();
}

// False: the error is written.
bool has_a_stream(const ReplicationControl& control, SessionContext& c) {
  if (!control.is_replica() || control.view().following()) return true;
  c.reply.error("NOMASTERLINK Can't SYNC while not connected with my master");
  return false;
}

void serve(ReplicationControl& control, const GiveConnection& give, SessionContext& c,
           const SyncRequest& request) {
  const ClientState& client = c.client;
  if (const ReplicaHello hello = control.hello(client.id);
      hello.without_keys && !hello.understands_mark) {
    return c.reply.error("ERR Filtered replica requires EOF capability");
  }
  control.activate_log(c.keys.all_stripes());
  const bool given = give(c.client, [&control, request, &client](
                                        ByteStream& stream, std::string unread, StopToken stop) {
    return control.serve_replica(stream, std::move(unread), request, client, stop);
  });
  if (!given) c.reply.error("ERR This client cannot become a replica");
}

// The primary asks this replica of its to take over (FAILOVER there): it has stopped writing and
// waited for this server, and wants to follow it now. False: the error is written.
bool take_over(ReplicationControl& control, SessionContext& c) {
  if (!control.is_replica()) {
    c.reply.error("ERR PSYNC FAILOVER can't be sent to a master.");
    return false;
  }
  if (!equal_ignore_case(c.args[1], control.engine().log.history().id.text())) {
    c.reply.error("ERR PSYNC FAILOVER replid must match my replid.");
    return false;
  }
  control.promote(c.keys.all_stripes());
  log_notice("PRIMARY MODE enabled (failover request from client {})", c.client.id);
  return true;
}

void psync(ReplicationControl& control, const GiveConnection& give, SessionContext& c) {
  const bool failover = c.args.size() > 3 && equal_ignore_case(c.args[3], "failover");
  if (failover && !take_over(control, c)) return;
  if (!has_a_stream(control, c)) return;
  auto request = parse_sync_request(c.args[1], c.args[2]);
  if (!request) return c.reply.error("ERR " + request.error().text);
  if (request->position) request->position = control.resolve(*request->position);
  serve(control, give, c, *request);
}

// The parts of a snapshot that it wants, and no others: functions, or nothing. False: the reply is
// written.
bool note_filter(ReplicaHello& hello, SessionContext& c, Bytes value) {
  std::string storage;
  std::vector<Bytes> wanted;
  if (!split_arguments(value, storage, wanted)) {
    c.reply.error("ERR Missing rdb-filter-only values");
    return false;
  }
  hello.with_functions = false;
  for (const Bytes part : wanted) {
    if (equal_ignore_case(part, "functions")) {
      hello.with_functions = true;
      continue;
    }
    c.reply.error(error_text("ERR Unsupported rdb-filter-only option: {}", part));
    return false;
  }
  hello.without_keys = true;
  return true;
}

// One option and its value. False: the reply is written, or none is due.
bool note_option(ReplicaHello& hello, SessionContext& c, Bytes option, Bytes value) {
  if (equal_ignore_case(option, "listening-port")) {
    const auto port = parse_int64(value);
    if (!port) {
      c.reply.error(kNotInteger);
      return false;
    }
    hello.listening_port = static_cast<int>(*port);
  } else if (equal_ignore_case(option, "ip-address")) {
    if (value.size() > 255) {
      c.reply.error("ERR REPLCONF ip-address provided by replica instance is too long: " +
                    fmt::format("{} bytes", value.size()));
      return false;
    }
    hello.announced_ip = std::string(value);
  } else if (equal_ignore_case(option, "capa")) {
    if (equal_ignore_case(value, "eof")) hello.understands_mark = true;
    if (equal_ignore_case(value, "psync2")) hello.understands_new_id = true;
  } else if (equal_ignore_case(option, "rdb-only")) {
    const auto only = parse_int64(value);
    if (!only || *only < 0 || *only > 1) {
      c.reply.error(only ? "ERR value is out of range, value must between 0 and 1" : kNotInteger);
      return false;
    }
    hello.snapshot_only = *only == 1;
  } else if (equal_ignore_case(option, "rdb-filter-only")) {
    return note_filter(hello, c, value);
  } else if (equal_ignore_case(option, "ack") || equal_ignore_case(option, "getack")) {
    return false;  // between a replica and its primary only, and never answered
  } else if (equal_ignore_case(option, "version")) {
    hello.rdb_version = rdb_version_read_by(value);
  } else {
    c.reply.error(error_text("ERR Unrecognized REPLCONF option: {}", option));
    return false;
  }
  return true;
}

void replconf(ReplicationControl& control, SessionContext& c) {
  if (c.args.size() % 2 == 0) return c.reply.error(kSyntaxError);
  ReplicaHello hello = control.hello(c.client.id);
  for (size_t i = 1; i < c.args.size(); i += 2) {
    if (!note_option(hello, c, c.args[i], c.args[i + 1])) return;
  }
  if (c.args.size() > 1) control.set_hello(c.client.id, hello);
  c.reply.ok();
}

std::string integer_reply(size_t value) { return fmt::format(":{}\r\n", value); }

void wait(ReplicationControl& control, SessionContext& c) {
  if (control.is_replica()) {
    return c.reply.error(
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if "
        "a replica is configured to be writable (which is not the default) writes to replicas are "
        "just local and are not propagated.");
  }
  const auto wanted = parse_int64(c.args[1]);
  if (!wanted) return c.reply.error(kNotInteger);
  const auto timeout_ms = parse_int64(c.args[2]);
  if (!timeout_ms) return c.reply.error("ERR timeout is not an integer or out of range");
  if (*timeout_ms < 0) return c.reply.error("ERR timeout is negative");
  if (*timeout_ms > INT64_MAX - c.now_ms) return c.reply.error("ERR timeout is out of range");

  Acknowledgements& acknowledged = control.replicas().acknowledged();
  const uint64_t offset = c.client.last_write_offset;
  const size_t already = acknowledged.count(offset);
  if (static_cast<int64_t>(already) >= *wanted || !c.may_block) {
    return c.reply.integer(static_cast<int64_t>(already));
  }

  auto place = std::make_shared<Acknowledgements::WaiterId>(0);
  const int64_t deadline_ms = *timeout_ms == 0 ? 0 : c.now_ms + *timeout_ms;
  const auto let_go = [&acknowledged, place] { acknowledged.cancel(*place); };
  const auto timeout_reply = [&acknowledged, let_go, offset] {
    let_go();
    return integer_reply(acknowledged.count(offset));
  };
  std::shared_ptr<Waiter> waiter = c.block_externally(deadline_ms, timeout_reply, let_go);
  if (waiter == nullptr) return c.reply.integer(static_cast<int64_t>(already));
  control.request_acknowledgements();
  *place =
      acknowledged.wait(offset, static_cast<size_t>(*wanted), [waiter](std::optional<size_t> have) {
        have ? waiter->end_with(integer_reply(*have))
             : waiter->end_with_and_close(kUnblockedByRole);
      });
  // If the role changed after we had looked, whoever changed it may have missed this waiter.
  if (control.is_replica()) acknowledged.give_up_waiters();
}

}  // namespace

namespace {

constexpr uint32_t kRoleChange = kAdmin | kNoScript | kStale | kNoAsyncLoading;
constexpr uint32_t kSync = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti;

SessionHandler with(ReplicationControl& control,
                    void (*handler)(ReplicationControl&, SessionContext&)) {
  return [&control, handler](SessionContext& c) { handler(control, c); };
}

// What replicas say to their primary.
std::vector<CommandRow> replica_rows(ReplicationControl& control, const GiveConnection& give) {
  const SessionHandler psync_handler = [&control, give](SessionContext& c) {
    psync(control, give, c);
  };
  const SessionHandler sync_handler = [&control, give](SessionContext& c) {
    if (!has_a_stream(control, c)) return;
    serve(control, give, c, {.position = std::nullopt, .plain = true});
  };
  return {
      {.name = "psync",
       .arity = -3,
       .flags = kSync,
       .keys = {},
       .scope = LockScope::kEverything,
       .session_handler = psync_handler,
       .group = "server",
       .since = "2.8.0",
       .summary = "Makes this connection a replica's.",
       .syntax = "replicationid offset"},
      {.name = "sync",
       .arity = 1,
       .flags = kSync,
       .keys = {},
       .scope = LockScope::kEverything,
       .session_handler = sync_handler,
       .group = "server",
       .since = "1.0.0",
       .summary = "Makes this connection a replica's, the old way.",
       .syntax = ""},
      {.name = "replconf",
       .arity = -1,
       .flags = kAdmin | kNoScript | kLoading | kStale | kAllowBusy | kBetweenServers,
       .keys = {},
       .session_handler = with(control, replconf),
       .group = "server",
       .since = "3.0.0",
       .internal = true,
       .complexity = "O(1)",
       .summary = "Tells a primary about its replica.",
       .syntax = ""},
  };
}

}  // namespace

std::vector<CommandRow> replication_rows(ReplicationControl& control, GiveConnection give) {
  const SessionHandler role_handler = [&control](SessionContext& c) {
    write_role(control, c.reply);
  };
  std::vector<CommandRow> rows = replica_rows(control, give);
  std::vector<CommandRow> more = {
      {.name = "replicaof",
       .arity = 3,
       .flags = kRoleChange,
       .keys = {},
       .scope = LockScope::kEverything,
       .session_handler = with(control, replicaof),
       .group = "server",
       .since = "5.0.0",
       .complexity = "O(1)",
       .summary = "Makes the server a replica of another one, or a primary.",
       .syntax = "args:<host port | NO ONE>"},
      {.name = "slaveof",
       .arity = 3,
       .flags = kRoleChange,
       .keys = {},
       .scope = LockScope::kEverything,
       .session_handler = with(control, replicaof),
       .group = "server",
       .since = "1.0.0",
       .deprecated = "5.0.0 `REPLICAOF`",
       .complexity = "O(1)",
       .summary = "The former name of REPLICAOF.",
       .syntax = "args:<host port | NO ONE>"},
      {.name = "role",
       .arity = 1,
       .flags = kNoScript | kLoading | kStale | kFast,
       .keys = {},
       .session_handler = role_handler,
       .group = "server",
       .categories = "admin dangerous",
       .since = "2.8.12",
       .complexity = "O(1)",
       .summary = "Tells the server's role in replication.",
       .syntax = ""},
      {.name = "wait",
       .arity = 3,
       .flags = kBlocking,
       .keys = {},
       .session_handler = with(control, wait),
       .group = "generic",
       .categories = "connection",
       .tips = "request_policy:all_shards response_policy:agg_min",
       .since = "3.0.0",
       .complexity = "O(1)",
       .summary = "Waits until replicas acknowledged this connection's writes.",
       .syntax = "numreplicas timeout:integer"},
  };
  for (CommandRow& row : more) rows.push_back(std::move(row));
  return rows;
}

}  // namespace tandem
