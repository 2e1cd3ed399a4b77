// A replica and its scripted primary in a simulated world (src/sim/), for fuzz_link.
//
// The commands are MULTI and its like, SELECT and a plain SET; the replica's clock stands still for
// them, so that what they do does not depend on when they came.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "io/task.h"
#include "link_script.h"
#include "replication/link.h"
#include "replication/replication_test_world.h"
#include "resp/request.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {

class StandingClock final : public Clock {
 public:
  int64_t unix_us() const override { return SimWorld::kStartUnixUs; }
  int64_t monotonic_us() const override { return SimWorld::kStartMonotonicUs; }
};

// Says what its visits hold, whatever it is asked. Past the last one it closes at once.
class ScriptedPrimary {
 public:
  static constexpr uint16_t kPort = LinkedReplica::kPrimaryPort;
  static constexpr size_t kPiecesMax = 32;  // a visit

  // `piece_bytes_max`: 0 writes a visit whole.
  ScriptedPrimary(SimProcess& process, std::vector<Visit> visits, size_t piece_bytes_max)
      : process_(process),
        chance_(process.take_seed()),
        visits_(std::move(visits)),
        piece_bytes_max_(piece_bytes_max),
        heard(visits_.size()) {
    listener_ = std::move(*process.network().listen("0.0.0.0", kPort, 16));
    scope_.spawn(accept());
  }

  const Visit& visit(size_t number) const { return visits_[number]; }

 private:
  Task<void> accept() {
    for (size_t number = 0;; ++number) {
      auto socket = co_await listener_->accept(scope_.token());
      if (!socket) co_return;
      auto stream = std::move(*process_.network().adopt(std::move(*socket)));
      if (number < visits_.size()) scope_.spawn(play(std::move(stream), number));
    }
  }

  Task<void> play(std::unique_ptr<ByteStream> stream, size_t number) {
    const Visit& said = visits_[number];
    for (Bytes rest = said.bytes; !rest.empty();) {
      const size_t piece = piece_bytes(rest.size());
      auto written = co_await stream->write(rest.substr(0, piece), scope_.token());
      if (!written) break;
      rest.remove_prefix(piece);
      if (piece_bytes_max_ != 0) co_await process_.loop().sleep_ms(1, scope_.token());
    }
    visits_said = number + 1;
    if (said.leave == Leave::kCloses) stream->shutdown();
    char buffer[1024];
    for (;;) {
      auto count = co_await stream->read(buffer, scope_.token());
      if (!count) break;
      heard[number].append(buffer, *count);
    }
    visits_over = number + 1;
  }

  size_t piece_bytes(size_t left) {
    if (piece_bytes_max_ == 0) return left;
    return std::min(left, 1 + chance_.below(piece_bytes_max_) + left / kPiecesMax);
  }

  SimProcess& process_;
  Random chance_;
  const std::vector<Visit> visits_;
  const size_t piece_bytes_max_;
  std::unique_ptr<Listener> listener_;
  Scope scope_;

 public:
  std::vector<std::string> heard;  // a visit each: what the replica said
  size_t visits_said = 0;          // all that they hold
  size_t visits_over = 0;          // and nothing more will be heard
};

// By database and key: the expiry, the type and the value, as a snapshot holds them.
using Dataset = std::map<std::pair<int, std::string>, std::string>;

inline Dataset dataset(Keyspace& keyspace) {
  Dataset all;
  int database = 0;
  const auto add = [&](Entry* entry, auto&&...) {
    std::string text;
    StringSink sink(text);
    char digits[kInt64TextMax];
    std::optional<int64_t> expiry_ms;
    if (entry->has_expiry()) expiry_ms = entry->expiry_ms();
    rdb_encode_entry(sink, entry->key(), entry->ref(digits), expiry_ms, {.compress = false});
    all.emplace(std::pair(database, entry->key()), std::move(text));
  };
  for (; database < keyspace.database_count(); ++database) {
    DatabaseTables* tables = keyspace.tables(database);
    if (tables == nullptr) continue;
    for (int stripe = 0; stripe < kStripes; ++stripe) {
      if (tables->keys_in(stripe) == 0) continue;
      for (int i = 0; i < kPartitionsPerStripe; ++i) {
        tables->partition(stripe * kPartitionsPerStripe + i).for_each(add);
      }
    }
  }
  return all;
}

inline int64_t key_count(const Keyspace& keyspace) { return keyspace.keys(0) + keyspace.keys(1); }

// All bytes that the log holds; a fuzzer's input never fills its backlog.
inline std::string held_bytes(Log& log) {
  std::string bytes;
  const auto cursor = log.open("fuzzer", log.window().first, 0);
  CHECK(cursor.has_value(), "the log holds its window");
  for (Bytes piece = *(*cursor)->peek(); !piece.empty(); piece = *(*cursor)->peek()) {
    bytes.append(piece);
    (*cursor)->advance(piece.size());
  }
  return bytes;
}

// It has patience for two seconds, and pauses after each connection, so that what that one left
// behind can be looked at.
struct FuzzedReplica : LinkedReplica {
  static constexpr int64_t kPauseMs = 50;

  FuzzedReplica(SimProcess& process, const Clock& clock, bool holds_position)
      : LinkedReplica(process.loop(), process.network(), clock, 2, StreamApply::kPendingBytesMax,
                      kPauseMs) {
    if (holds_position) {
      const ExclusiveGuard all(keyspace);
      log.reset(all, {.id = held_id(), .offset = kHeldOffset});
      log.select_database(kHeldDatabase);
    }
    begin();
  }
};

// What the replica's data must be: made from the same snapshots and streams, each at once and by a
// client like any other. Begins as the replica does; costs nothing until the replica follows.
class Mirror {
 public:
  explicit Mirror(const Clock& clock) : clock_(clock) {}

  Dataset data() { return dataset(world().keyspace); }

  void load(Bytes snapshot) {
    if (!world_) world_.emplace(clock_);
    Keyspace& keyspace = world_->keyspace;
    DatasetLoad load(keyspace, {.limits = world_->limits, .databases = 2}, 0, std::nullopt);
    const auto loaded = load.feed(snapshot);
    CHECK(loaded.has_value() && load.ended() && *loaded == snapshot.size(),
          "what was installed is a whole snapshot");
    const ExclusiveGuard all(keyspace);
    load.install(all);
    client_.database = static_cast<int>(load.selected_database().value_or(0));
  }

  // The commands of a log: whole ones, and whole transactions.
  void execute(Bytes stream) {
    Executor executor(world().engine, 1);
    executor.begin_batch();
    RequestParser parser;
    while (!stream.empty()) {
      CHECK(parser.next(stream) == ParseStatus::kRequest, "the log holds whole commands");
      std::string out;
      ReplyWriter reply(out);
      const auto args = parser.args();
      const bool is_link = !args.empty() && equal_ignore_case(args[0], "replconf");
      if (!args.empty() && !is_link) executor.execute(client_, args, {}, reply);
      stream.remove_prefix(parser.raw().size());
    }
    CHECK(!client_.in_transaction, "the log holds whole transactions");
    executor.unwatch(client_);
  }

 private:
  TestEngine& world() {
    if (!world_) {
      world_.emplace(clock_);
      set(world_->engine, "old", "1");
    }
    return *world_;
  }

  const Clock& clock_;
  std::optional<TestEngine> world_;
  struct Client final : ClientState {
    Client() : ClientState(ClientKind::kNormal) { database = kHeldDatabase; }
  } client_;
};

}  // namespace tandem
