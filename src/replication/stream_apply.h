// Executes a primary's stream, as the engine's one client of the kind kLink: nothing is answered,
// and the commands' bytes go into the log as they came, while their keys are held. So the log's end
// is at every moment the place up to which the data are the primary's.
//
//   most of what comes      in batches, by several threads     engine/batch_executor.h
//   everything else         command by command                 engine/executor.h
//
// A command that fails here (unknown, of another type, none that a stream can hold) is passed over,
// counted and logged: from there on the data may differ. propagation-error-behavior can make it
// end the server instead.
//
// A transaction waits for its EXEC and is applied at once; its bytes count then, so a link that
// breaks in the middle continues from before the MULTI.
//
// What holds clients back holds the stream back, too: CLIENT PAUSE, and a server that shuts down,
// whose log must not grow while its own replicas catch up.
//
// Confined to the link's thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "engine/batch_executor.h"
#include "engine/client_state.h"
#include "engine/executor.h"
#include "engine/stream_batch.h"
#include "log/log.h"
#include "replication/link_progress.h"
#include "replication/options.h"
#include "replication/stream_buffer.h"
#include "resp/reply_writer.h"
#include "resp/request.h"

namespace tandem {

class StreamApply {
 public:
  // Of one argument. The primary has applied its own limit (proto-max-bulk-len, which may be larger
  // there than here); what it let in has to come in here as well.
  static constexpr int64_t kBulkBytesMax = int64_t{4} << 30;
  // The bound for real streams, below: the largest argument and a gibibyte around it.
  static constexpr size_t kPendingBytesMax = static_cast<size_t>(kBulkBytesMax) + (size_t{1} << 30);
  // What the buffer for replies keeps for the next command; more is given back.
  static constexpr size_t kKeptBytesMax = size_t{1} << 20;
  // Whoever else waits for this thread gets it after about so long: acknowledgements are sent, and
  // our own replicas hear what there is, however long the commands that have come take.
  static constexpr int64_t kTurnUs = 2000;

  // `progress` counts what failed. `role_generation`: of the role whose primary this is
  // (engine/engine.h); in another one nothing is applied. `pending_bytes_max`: how many bytes may
  // wait for the end of their command or transaction. `crew` helps with large batches, and outlives
  // this; null: nobody does.
  StreamApply(Executor& executor, const ReplicationOptions& options, LinkProgress& progress,
              uint64_t role_generation, size_t pending_bytes_max, Crew* crew = nullptr);

  // A stream from `primary` (its address, for people) begins at the log's end: forgets what was
  // pending, and selects the database that the log's context names.
  void restart(std::string primary);
  // It has ended: lets go of what was pending.
  void forget();

  // Where the next bytes of the stream go.
  std::span<char> room();
  // Reads what is there already, to the place that it is given (perhaps none), and says how much
  // that was. It waits for nothing.
  using ReadMore = FunctionRef<size_t(std::span<char>)>;
  // Applies the whole commands in what has come, of which `count` bytes are new in the room; the
  // rest waits for more. May read more, beside the helpers. kInvalid: the stream is no commands
  // (lines of text are none, either). kLimit: too much waits for its end. What was applied before
  // stays applied.
  Result<void> apply(size_t count, ReadMore read_more);

  // Why there may still be whole commands. In both cases it is gone on by apply() of none, and no
  // more bytes should be read before: the next one was held back, and is tried again a while later;
  // or the turn was over.
  bool held_back() const { return pause_ == Pause::kHeldBack; }
  bool turn_is_over() const { return pause_ == Pause::kTurnIsOver; }

  // The primary asked for an acknowledgement (REPLCONF GETACK) since the last call.
  bool take_ack_request();

  // The place in the stream that was read: the log's end and what is pending.
  uint64_t read_offset() const { return log_.end() + pending_bytes(); }
  size_t pending_bytes() const { return buffer_.size(); }
  // Memory of the buffers, used or not.
  size_t buffer_bytes() const { return buffer_.capacity() + reply_text_.capacity(); }
  // How many commands were put into batches so far, applied or not.
  uint64_t commands_cut() const { return commands_cut_; }
  // As which the stream executes.
  const ClientState& client() const { return client_; }

 private:
  struct StreamClient final : ClientState {
    explicit StreamClient(StreamApply& stream) : ClientState(ClientKind::kLink), apply(stream) {}
    std::string address() const override { return primary; }
    void inner_error(const Command& command, Bytes reply) override {
      apply.note_failure(command.full_name, reply);
    }
    StreamApply& apply;
    std::string primary;
  };

  enum class Pause : uint8_t { kNone, kHeldBack, kTurnIsOver };

  Result<void> apply_whole(ReadMore read_more);
  void apply_batches(ReadMore read_more);
  bool apply_batch(ReadMore read_more);
  void cut(StreamBatch& batch, int database);
  void make_room();
  void note_applied(const StreamBatch& batch);
  void end_turn_in_time();
  // False: it was held back.
  bool apply_command(Bytes raw);
  bool execute(Bytes raw);
  bool append(Bytes raw);
  void note_failure(Bytes name, Bytes reply);

  Executor& executor_;
  Engine& engine_;
  Log& log_;
  const ReplicationOptions& options_;
  LinkProgress& progress_;
  const size_t pending_bytes_max_;
  StreamClient client_{*this};
  RequestParser parser_{{.bulk_bytes_max = kBulkBytesMax}};
  BatchExecutor batches_;
  StreamBatch first_batch_;
  StreamBatch second_batch_;
  StreamBatch* batch_ = &first_batch_;
  StreamBatch* next_batch_ = &second_batch_;
  bool is_next_cut_ = false;  // already, when the turn was over
  StreamBuffer buffer_;       // what came and is not in the log
  size_t parsed_ = 0;         // bytes of it that were taken apart: those of a transaction
  Pause pause_ = Pause::kNone;
  int64_t turn_began_us_ = 0;
  bool ack_requested_ = false;
  uint64_t commands_cut_ = 0;
  int64_t failures_ = 0;  // of this link
  int64_t failure_logged_ms_ = 0;
  std::string reply_text_;
  ReplyWriter reply_{reply_text_};
};

}  // namespace tandem
