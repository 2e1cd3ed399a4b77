// Commands of a primary's stream that are applied as one step: taken apart, with their keys hashed,
// before any stripe is taken.
//
//   batch.begin(stream, database, n) from this byte on, in this database, n commands at most
//   while (batch.add_step()) ...     the next command, or the next transaction as a whole
//   (BatchExecutor)                  engine/batch_executor.h
//
// What may be in one: plain changes of declared keys whose time depends on their arguments alone
// (kBrief), SELECT, and transactions of such commands, of which a batch has all or nothing. A
// command that somebody waits for, or watches, is left to the Executor, and so is everything else.
//
// Commands on different stripes do not touch each other. So a batch falls into lanes, groups of
// stripes, and each lane can be executed by another thread, in its order. A command with keys on
// several stripes puts these into one lane, for this batch.
//
// Confined to the thread that fills it; read by those who execute it, meanwhile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "engine/command.h"
#include "engine/engine.h"
#include "keyspace/stripe_lock.h"
#include "keyspace/view.h"

namespace tandem {

class StreamBatch {
 public:
  // What a batch may need. How many commands it is to have, BatchExecutor says.
  static constexpr size_t kCommandsMax = 2048;
  static constexpr size_t kArgumentsMax = 16 * 1024;
  static constexpr size_t kBytesMax = 256 * 1024;
  static constexpr size_t kLanesMax = 32;

  struct Item {
    const Command* command;
    uint32_t first_argument;
    uint32_t argument_count;
    uint32_t first_key;
    uint32_t key_count;  // 0: MULTI, SELECT, EXEC, which are only counted
    uint32_t end;        // where it ends among the batch's bytes
    int32_t database;    // in which it is executed; of SELECT the one that it selects
    bool ends_step;      // what comes behind it belongs to another step
  };

  explicit StreamBatch(Engine& engine);

  // `stream` begins with a command, or with what is no part of a batch. It outlives the batch.
  void begin(Bytes stream, int database, size_t commands_max = kCommandsMax);
  // False: what comes next is no part of this batch, be it that it is full.
  bool add_step();
  // Takes off the steps from the first one on that changes a key for which somebody waits, or that
  // somebody watches. REQUIRES: stripes() held, so that nobody comes to wait for one meanwhile.
  void drop_waited_for();

  void drop_all() { items_.clear(); }

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  std::span<const Item> items() const { return items_; }
  std::span<const Bytes> arguments(const Item& item) const {
    return {arguments_.data() + item.first_argument, item.argument_count};
  }
  std::span<const DeclaredKey> keys(const Item& item) const {
    return {keys_.data() + item.first_key, item.key_count};
  }
  // For who did not fill it, and executes some of it elsewhere: brings a command near, a step for
  // several of them before the next step.
  static constexpr int kFetchSteps = 3;
  void prefetch_step(int step, size_t at) const;
  // What goes into the log.
  Bytes bytes() const { return stream_.substr(0, items_.empty() ? 0 : items_.back().end); }
  // Selected behind it.
  int database() const { return database_; }
  // At least those of all keys.
  const StripeSet& stripes() const { return stripes_; }

  // Once what is in it is known. REQUIRED for lanes().
  void sort_into_lanes() {
    if (!sorted_) sort();
  }
  // The items by lanes: those of one lane in their order, behind each other. Lanes come in the
  // order of their stripes, so that in the next batch about the same keys are in the same place;
  // none is empty.
  std::span<const std::span<const uint16_t>> lanes() const { return lanes_; }
  size_t longest_lane() const { return longest_lane_; }

 private:
  struct Mark {
    size_t items;
    size_t arguments;
    size_t keys;
    size_t taken;
    int database;
  };
  Mark mark() const { return {items_.size(), arguments_.size(), keys_.size(), taken_, database_}; }
  void take_back(const Mark& mark);
  bool add_command(bool& in_transaction);
  const Command* find(std::span<const Bytes> args);
  bool select(std::span<const Bytes> args);
  bool declare_keys(const Command& command, std::span<const Bytes> args);
  bool is_waited_for(const Item& item) const;
  static uint8_t stripe_of(const DeclaredKey& key) {
    return static_cast<uint8_t>(key.place.stripe());
  }
  uint8_t root(uint8_t stripe);
  void sort();

  Engine& engine_;
  const Command* const multi_;
  const Command* const exec_;
  const Command* const select_;

  Bytes stream_;
  size_t taken_ = 0;
  int database_ = 0;
  size_t commands_max_ = kCommandsMax;
  std::vector<Item> items_;
  std::vector<Bytes> arguments_;
  std::vector<DeclaredKey> keys_;
  std::vector<FoundKey> found_;
  StripeSet stripes_;
  const Command* last_ = nullptr;  // the command that was found last, by this word
  Bytes last_word_;

  bool sorted_ = false;
  std::array<uint8_t, kStripes> joined_to_{};
  std::vector<uint16_t> by_lane_;
  std::vector<std::span<const uint16_t>> lanes_;
  size_t longest_lane_ = 0;
};

}  // namespace tandem
