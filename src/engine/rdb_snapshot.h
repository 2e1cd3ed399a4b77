// The dataset of one moment as an RDB stream, made while writers go on: the snapshot walk
// (keyspace/snapshot.h) behind the RDB writer. A file, the sockets of replicas or both can be fed
// from one.
//
//   auto turn = engine.snapshot_turn.try_take();
//   auto snapshot = RdbSnapshot::begin(engine, std::move(turn), options, [&] {
//     // All stripes are held: note the log's end.
//   });
//   while (!snapshot->interrupted() && snapshot->produce(out)) send(out);
//
// What is done under a stripe is no more than a copy, by writers as by the walker
// (rdb/rdb_capture.h). All the rest, LZF above all, is the walker's business, off the stripes, and
// that of threads that help it (engine/rdb_encoders.h). It takes what writers handed in before it
// captures more itself; and once that is over kPressureBytes it leaves LZF out until it has caught
// up, for then memory is dearer than bytes on the way.
//
// Each chain is captured once, by whoever comes first. So where nobody takes the stream, for a disk
// or a replica stands still, what writers hand in ends with the data of the cut once over, however
// much they write: what fork can cost, too. FullSyncs has a lower limit (replication/full_sync.h).
//
// Large collections (rdb/rdb_writer.h) are only begun where their chain is captured; produce
// then takes them one after the other, in steps.
//
// Threads: begin and produce belong to one thread (the walker), and so does the destructor; writers
// hand in the chains that they are about to change from theirs. What they hand in waits in memory
// for the next produce: pending_bytes(). Giving one up is quick, but now and then walks on to
// the end (keyspace/snapshot.h): so not on a loop.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/lock.h"
#include "base/result.h"
#include "base/thread.h"
#include "engine/engine.h"
#include "engine/rdb_encoders.h"
#include "keyspace/snapshot.h"
#include "rdb/rdb_capture.h"
#include "rdb/rdb_packing.h"
#include "rdb/rdb_writer.h"

namespace tandem {

// What a snapshot has before its keys.
struct RdbHead {
  RdbPreamble preamble;
  FunctionStore::Codes libraries = {};
};

// Of a snapshot without keys, at the log's end.
RdbHead head_without_keys(const AllStripes& all, const Engine& engine, bool with_functions);
std::string rdb_without_keys(const RdbHead& head, const RdbWriteOptions& format);

class RdbSnapshot final : private SnapshotSink {
 public:
  struct Options {
    RdbWriteOptions format;
    bool with_position = true;  // write the log's id, offset and selected database, if it is active
    size_t produce_bytes = 64 * 1024;  // about how much a call of produce() makes
  };

  // So much handed in by writers is more than the walker should let wait.
  static constexpr size_t kPressureBytes = 8 * 1024 * 1024;

  // Takes the cut: all stripes for some microseconds, with `at_cut` called meanwhile (may be null).
  // The turn is the snapshot's until it is destroyed.
  static std::unique_ptr<RdbSnapshot> begin(Engine& engine, SnapshotTurn::Held turn,
                                            const Options& options,
                                            const std::function<void()>& at_cut);
  ~RdbSnapshot() override;

  // Replaces `out` by the next bytes of the stream. False: the stream is complete, `out` is empty.
  bool produce(std::string& out);

  // Somebody else needs the turn: to be given up.
  bool interrupted() const { return turn_.interrupted(); }
  // Somebody waits for the turn: not to be put off.
  bool turn_wanted() const { return turn_.wanted(); }

  int64_t keys_total() const { return walk_.keys_at_cut(); }
  // For progress and limits; any thread.
  int64_t keys_written() const { return keys_written_.load(std::memory_order_relaxed); }
  // What writers made it keep until the next steps: copied, and shared.
  size_t pending_bytes() const { return pending_bytes_.load(std::memory_order_relaxed); }

 private:
  using Batch = RdbEncoders::Batch;

  struct Large {
    int database;
    std::atomic<int> stripe;  // changes with the stripe held, and the next one
    const void* container;    // null: steps do not touch it
    std::unique_ptr<RdbLargeEntry> rest;
    Entry* orphan = nullptr;  // its entry, once it is in no table any more
  };

  RdbSnapshot(const AllStripes& all, Engine& engine, SnapshotTurn::Held turn,
              const Options& options, RdbHead head);
  // As the policy of eviction asks for.
  static Options with_uses(Options options, const Engine& engine);
  void give_up();
  void capture_chain(int database, const TableBucket& home) override;
  void adopt(Entry* entry) override;
  void moved(const void* container, int stripe) override;
  void capture(int database, const TableBucket& home, RdbCapture& to);
  bool begin_large(int database, const Entry& entry);
  Large* first_large();
  void step_large(Large& large);
  void drop_first_large();
  template <class Fn>
  void under_its_stripe(const Large& large, Fn&& fn);
  void step_walk();
  size_t capture_for_walker(int database, const TableBucket& home);
  void hand_over_captured();
  bool write_head();
  bool advance();
  bool take_next();
  bool take_handed_in();
  void encode_current();
  bool take_from_helpers();
  void finish_walk();

  // First: given back when nothing of the snapshot is left.
  const SnapshotTurn::Held turn_;
  Engine& engine_;
  const Options options_;
  const RdbHead head_;
  std::string out_;
  StringSink out_sink_{out_};
  RdbWriter writer_;

  std::atomic<size_t>& pending_bytes_;  // the engine's: there is one snapshot at a time
  Lock lock_;
  std::deque<Batch> pending_ TANDEM_GUARDED_BY(lock_);
  // What is in the first belongs to the producer, and to whoever holds its stripe.
  std::deque<std::unique_ptr<Large>> large_ TANDEM_GUARDED_BY(lock_);
  std::atomic<int64_t> keys_written_{0};

  // The walker's own. What it has captured becomes current, or goes to the helpers; what is current
  // goes out before anything else.
  std::deque<Batch> captured_;
  std::optional<Batch> current_;
  size_t current_pending_bytes_ = 0;  // of the current one, if a writer handed it in
  RdbPacking packing_;
  RdbEncoders encoders_;
  Breather breather_;
  bool given_up_ = false;  // changed under all stripes, read under any
  bool begun_ = false;
  size_t libraries_written_ = 0;
  bool sizes_written_ = false;
  bool chains_left_ = true;
  bool walking_ = true;
  bool finished_ = false;
  // Last: the sink must be complete before the walk may call it.
  SnapshotWalk walk_;
};

}  // namespace tandem
