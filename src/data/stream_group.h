// A consumer group of a stream: how far it has read, who reads for it, and what was delivered to
// them and not yet acknowledged.
//
//   group       name, last id, entries read
//     pending     id -> consumer, time and count of deliveries      all that is pending, by id
//     consumers   name -> times
//       pending     id                                              what this one has, by id
//
// A pending entry stands in both orders, so that each question costs what it returns: what is
// pending in the group (XPENDING, XAUTOCLAIM), what a consumer has (its history, XPENDING with its
// name), whose an entry is (XACK, XCLAIM). It names its consumer by a pointer, and takes 64 bytes
// in all.
//
// Invariants: an id is in StreamGroup::pending() exactly if it is with one consumer, the one that
// its entry names. That the stream still has the entry is not said: XDEL and trims leave what is
// pending alone.
//
// A copy of a group costs a count and stays what it was (data/copy_on_write_tree.h). Not thread
// safe. References and cursors are valid as of the tree that they come from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "data/copy_on_write_tree.h"
#include "data/stream_node.h"

namespace tandem {

// A name that all its copies share. Its text stays in one place as long as there is one of them.
class SharedName {
 public:
  explicit SharedName(Bytes text) : text_(std::make_shared<const std::string>(text)) {}
  operator Bytes() const { return *text_; }
  const std::string* place() const { return text_.get(); }

 private:
  std::shared_ptr<const std::string> text_;
};

struct ByName {
  using Key = Bytes;
  using Stored = SharedName;
  template <class Named>
  static const SharedName& of(const Named& named) {
    return named.name();
  }
};

struct PendingEntry {
  StreamId id;
  const std::string* consumer = nullptr;  // its name
  int64_t delivery_time_ms = 0;           // Unix time of the last delivery
  uint64_t delivery_count = 0;
};

struct ById {
  using Key = StreamId;
  using Stored = StreamId;
  static const StreamId& of(const StreamId& id) { return id; }
  static const StreamId& of(const PendingEntry& entry) { return entry.id; }
};

class StreamConsumer {
 public:
  using Pending = CopyOnWriteTree<StreamId, ById>;
  static constexpr int64_t kNeverActive = -1;

  StreamConsumer(Bytes name, int64_t now_ms) : seen_time_ms(now_ms), name_(name) {}

  const SharedName& name() const { return name_; }
  const Pending& pending() const { return pending_; }

  int64_t seen_time_ms;                   // Unix time of the last attempt to read or to claim
  int64_t active_time_ms = kNeverActive;  // Unix time of the last that was given something

 private:
  friend class StreamGroup;

  SharedName name_;
  Pending pending_;
};

class StreamGroup {
 public:
  using Pending = CopyOnWriteTree<PendingEntry, ById>;
  using Consumers = CopyOnWriteTree<StreamConsumer, ByName>;
  static constexpr int64_t kEntriesReadUnknown = -1;

  StreamGroup(Bytes name, StreamId last_id, int64_t entries_read)
      : name_(name), last_id_(last_id), entries_read_(entries_read) {}

  const SharedName& name() const { return name_; }
  // What is above it is still to be delivered.
  StreamId last_id() const { return last_id_; }
  // How many of all entries that the stream ever had are at or below last_id().
  int64_t entries_read() const { return entries_read_; }
  void move_to(StreamId last_id, int64_t entries_read) {
    last_id_ = last_id;
    entries_read_ = entries_read;
  }

  const Consumers& consumers() const { return consumers_; }
  // False: there is one of this name.
  bool add_consumer(Bytes name, int64_t now_ms) {
    return consumers_.insert(StreamConsumer(name, now_ms)).second;
  }
  // Null: there is none. What it gives stays valid while others are written.
  StreamConsumer* write_consumer(Bytes name) { return consumers_.write(name); }
  // A consumer that was removed, and what the group gave up with it. May take long to free.
  struct Removed {
    StreamConsumer consumer;
    Pending pending;
  };
  // What was pending with it is so no longer. Nothing: there is none.
  std::optional<Removed> remove_consumer(Bytes name);

  const Pending& pending() const { return pending_; }
  // Makes the entry pending with this consumer, whoever had it so far.
  void assign(StreamId id, StreamConsumer& consumer, int64_t delivery_time_ms,
              uint64_t delivery_count);
  // It is pending no longer. False: it was not.
  bool acknowledge(StreamId id);

  // For RDB, where the entries come before those who have them: in between the invariants do not
  // hold. False: the entry is pending already; it is not, or somebody has it.
  bool load_pending(StreamId id, int64_t delivery_time_ms, uint64_t delivery_count);
  bool load_owner(StreamId id, StreamConsumer& consumer);

 private:
  SharedName name_;
  StreamId last_id_;
  int64_t entries_read_;
  Pending pending_;
  Consumers consumers_;
};

}  // namespace tandem
