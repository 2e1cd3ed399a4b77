// What a handler gets, and nothing else. Lives for one execution.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/client_state.h"
#include "engine/command.h"
#include "keyspace/view.h"
#include "resp/reply_writer.h"

namespace tandem {

class Executor;
struct WaitTerms;

// Error texts that many handlers share.
inline constexpr Bytes kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr Bytes kSyntaxError = "ERR syntax error";
inline constexpr Bytes kNotInteger = "ERR value is not an integer or out of range";
inline constexpr Bytes kNoSmallInteger =
    "ERR value is out of range, value must between -2147483648 and 2147483647";
inline constexpr Bytes kNotFloat = "ERR value is not a valid float";
inline constexpr Bytes kNoSuchKey = "ERR no such key";

// What a blocking command that cannot proceed asks for.
struct BlockRequest {
  std::vector<std::string> keys = {};  // any of them changing runs the command again,
  ValueType type = ValueType::kList;   // if it holds a value of this type now
  int64_t deadline_ms = 0;             // unix time; 0: none
  enum class OnTimeout : uint8_t { kNull, kNullArray } on_timeout = OnTimeout::kNullArray;
  // Run it again, too, when one of the keys is gone or holds another type: it cannot go on waiting
  // without them, and is answered with an error then (XREADGROUP).
  bool needs_keys = false;
  // The arguments to run again with, where they depend on this moment (XREAD's $); empty: the same.
  std::vector<std::string> args = {};
};

// Leads a handler from stripe to stripe; see Context::visit.
class StripeDoor {
 public:
  virtual bool enter(int stripe) = 0;

 protected:
  ~StripeDoor() = default;
};

struct Context {
  const Command& command;
  std::span<const Bytes> args;  // args[0] is the command's name as the client wrote it
  View& keys;                   // the client's database
  ReplyWriter& reply;
  Random& random;
  int64_t now_ms;  // frozen for this execution (a whole transaction or script)
  Bytes raw = {};  // the request as it came, empty if it did not come as an array
  bool may_block =
      false;  // false inside MULTI and scripts: a blocking command then acts as if timed out
  bool from_primary = false;       // executes the primary's stream
  bool from_script = false;        // what it answers must not hang on chance
  const Rights* rights = nullptr;  // what the client is limited to; null: to nothing
  StripeDoor* door = nullptr;      // null: every stripe that the handler may visit is held already
  bool blocked = false;
  bool error_counted = false;  // the error answered was counted where it arose, inside a script
  BlockRequest block_request = {};

  // Effects. Say exactly what a replica must do to get the same result.
  void replicate_as_is();
  void replicate(std::initializer_list<Bytes> effect);
  void replicate(std::span<const Bytes> effect);
  bool replicates() const { return keys.access().effects().wanted(); }

  // Ends a blocking command without a result: the client waits, or is answered at once if it may
  // not.
  void block(BlockRequest request);

  bool may_read_any_key() const {
    return rights == nullptr || rights->may_read_any_key(command, args);
  }

  // For rows of LockScope::kVisits, which hold no stripe at first: lets go of the stripe that was
  // visited before and takes this one. Other clients' writes come in between, and what was seen
  // before is old then. False: the command is let in no longer (a busy script, a change of role);
  // the handler returns at once, and what it wrote is dropped.
  [[nodiscard]] bool visit(int stripe) { return door == nullptr || door->enter(stripe); }
};

// "ERR unknown subcommand or wrong number of arguments for 'x'. Try CLIENT HELP."
void reply_subcommand_syntax(Context& ctx, Bytes container);

// The effect of a command that replicas execute as it came.
inline Effect as_is(const Context& ctx) { return Effect(ctx.keys.database(), ctx.raw, ctx.args); }

// For commands about connections and the server.
struct SessionContext : Context {
  ClientState& client;
  Executor& executor;

  // Blocks the client on something other than keys (WAIT): the reply comes by Waiter::end_with,
  // from any thread. `timeout_reply` is asked when the deadline (unix ms, 0: none) passes, `let_go`
  // called if the client goes before. Null: the client may not block.
  std::shared_ptr<Waiter> block_externally(int64_t deadline_ms,
                                           std::function<std::string()> timeout_reply,
                                           std::function<void()> let_go = {});
  // The same for a command that goes on by Executor::execute_rest, and without a deadline.
  // `unblock_reply` is asked when somebody unblocks the client before.
  std::shared_ptr<Waiter> block_until_rest(std::function<std::string()> unblock_reply);

 private:
  std::shared_ptr<Waiter> block_on(WaitTerms terms);
};

}  // namespace tandem
