#include <algorithm>

#include "base/bytes.h"
#include "base/logging.h"
#include "engine/admission.h"
#include "engine/executor.h"
#include "server/client/client.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

constexpr Bytes kAlreadySaving = "ERR Background save already in progress";

std::string answer_to_save(const Result<void>& saved) {
  if (saved) return "+OK\r\n";
  const bool refused = saved.error().code == ErrorCode::kRefused;
  return "-" + std::string(refused ? kAlreadySaving : "ERR") + "\r\n";
}

void save(SessionContext& c, Persistence& persistence) {
  const auto waiter = c.block_externally(0, [] { return std::string("-ERR\r\n"); });
  if (waiter == nullptr) return c.reply.raw(answer_to_save(persistence.save()));
  persistence.save_for(
      [waiter](const Result<void>& saved) { waiter->end_with(answer_to_save(saved)); });
}

void bgsave(SessionContext& c, Persistence& persistence) {
  // SCHEDULE makes a difference where an append-only file may be rewritten meanwhile.
  const bool valid =
      c.args.size() == 1 || (c.args.size() == 2 && equal_ignore_case(c.args[1], "schedule"));
  if (!valid) return c.reply.error(kSyntaxError);
  if (persistence.is_under_way()) {
    persistence.want_turn();
    return c.reply.error(kAlreadySaving);
  }
  const bool inside_exec = !c.may_block;
  if (inside_exec) {
    persistence.schedule();
    return c.reply.simple("Background saving scheduled");
  }
  if (!persistence.begin_background()) return c.reply.error(kAlreadySaving);
  c.reply.simple("Background saving started");
}

void lastsave(SessionContext& c, Persistence& persistence) {
  c.reply.integer(persistence.last_save_unix_s());
}

constexpr Bytes kShutdownFailed = "ERR Errors trying to SHUTDOWN. Check logs.";

void shut_down(SessionContext& c, Shutdown& shutdown) {
  int how = kShutdownDefault;
  bool abort = false;
  for (const Bytes word : c.args.subspan(1)) {
    if (equal_ignore_case(word, "nosave")) {
      how |= kShutdownNoSave;
    } else if (equal_ignore_case(word, "save")) {
      how |= kShutdownSave;
    } else if (equal_ignore_case(word, "now")) {
      how |= kShutdownNow;
    } else if (equal_ignore_case(word, "force")) {
      how |= kShutdownForce;
    } else if (equal_ignore_case(word, "abort")) {
      abort = true;
    } else {
      return c.reply.error(kSyntaxError);
    }
  }
  const bool both = (how & kShutdownSave) != 0 && (how & kShutdownNoSave) != 0;
  if (both || (abort && how != kShutdownDefault)) return c.reply.error(kSyntaxError);
  if (abort) {
    if (!shutdown.abort()) return c.reply.error("ERR No shutdown in progress.");
    log_notice("A client aborted the shutdown.");
    return c.reply.ok();
  }
  const uint32_t bits = c.executor.engine().gate.bits();
  if ((how & kShutdownNoSave) == 0 && (bits & Gate::kBusyScript) != 0) {
    return c.reply.error(busy_text(bits));
  }
  if (shutdown.must_wait(how)) {
    if (const auto waiter = c.block_externally(0, [] { return std::string(); })) {
      return shutdown.start(how, [waiter](Result<void> ended) {
        if (!ended) waiter->end_with("-" + std::string(kShutdownFailed) + "\r\n");
      });
    }
  }
  if (!shutdown.begin(how)) return c.reply.error(kShutdownFailed);
  // Redis leaves without a reply: the closed connection is the answer.
  if (ClientConnection* connection = client_of(c)) connection->close();
}

}  // namespace

std::vector<CommandRow> persistence_rows(Persistence& persistence, Shutdown& shutdown) {
  const auto bound = [&persistence](auto handler) {
    return [&persistence, handler](SessionContext& c) { handler(c, persistence); };
  };
  return {
      {.name = "save",
       .arity = 1,
       .flags = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti,
       .session_handler = bound(save),
       .group = "server",
       .since = "1.0.0",
       .complexity = "O(N), N keys",
       .summary = "Writes the data to the file and waits for it."},
      {.name = "bgsave",
       .arity = -1,
       .flags = kAdmin | kNoScript | kNoAsyncLoading,
       .session_handler = bound(bgsave),
       .group = "server",
       .since = "1.0.0",
       .history = "3.2.2 Takes SCHEDULE",
       .complexity = "O(1)",
       .summary = "Writes the data to the file while commands go on.",
       .syntax = "[SCHEDULE]@3.2.2"},
      {.name = "lastsave",
       .arity = 1,
       .flags = kLoading | kStale | kFast,
       .session_handler = bound(lastsave),
       .group = "server",
       .categories = "admin dangerous",
       .tips = "nondeterministic_output",
       .since = "1.0.0",
       .complexity = "O(1)",
       .summary = "Tells when the data were last written, in Unix time."},
      {.name = "shutdown",
       .arity = -1,
       .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy,
       .session_handler = [&shutdown](SessionContext& c) { shut_down(c, shutdown); },
       .group = "server",
       .since = "1.0.0",
       .history = "7.0.0 Takes NOW, FORCE and ABORT",
       .complexity = "O(N), N keys if they are saved",
       .summary = "Saves the data if there are save points, and ends the server.",
       .syntax = "save-selector:[NOSAVE | SAVE] [NOW]@7.0.0 [FORCE]@7.0.0 [ABORT]@7.0.0"},
  };
}

}  // namespace tandem
