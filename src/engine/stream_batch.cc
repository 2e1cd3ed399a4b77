// Mechanism: a step is added command by command and taken back as a whole when one of them cannot
// be a part. Stripes that commands join form trees; the root of a tree stands for all in it.
#include "engine/stream_batch.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/number.h"
#include "resp/request.h"

namespace tandem {
namespace {

constexpr uint32_t kFetchedMax = 8;  // arguments of a command

}  // namespace

StreamBatch::StreamBatch(Engine& engine)
    : engine_(engine),
      multi_(engine.registry.find_original("multi")),
      exec_(engine.registry.find_original("exec")),
      select_(engine.registry.find_original("select")) {}

void StreamBatch::begin(Bytes stream, int database, size_t commands_max) {
  DCHECK(commands_max <= kCommandsMax, "lanes number them in 16 bits");
  commands_max_ = commands_max;
  stream_ = stream;
  taken_ = 0;
  database_ = database;
  items_.clear();
  arguments_.clear();
  keys_.clear();
  stripes_.clear();
  last_ = nullptr;
  sorted_ = false;
}

bool StreamBatch::add_step() {
  const Mark before = mark();
  sorted_ = false;
  bool in_transaction = false;
  do {
    if (!add_command(in_transaction)) {
      take_back(before);
      return false;
    }
  } while (in_transaction);
  items_.back().ends_step = true;
  // What goes into the log without naming a key is before or behind whatever takes all stripes.
  if (stripes_.empty()) stripes_.add(0);
  return true;
}

// Stripes may stay that nobody needs: they are taken in vain, no more.
void StreamBatch::take_back(const Mark& mark) {
  sorted_ = false;
  items_.resize(mark.items);
  arguments_.resize(mark.arguments);
  keys_.resize(mark.keys);
  taken_ = mark.taken;
  database_ = mark.database;
}

bool StreamBatch::add_command(bool& in_transaction) {
  if (items_.size() == commands_max_ || arguments_.size() >= kArgumentsMax) return false;
  const size_t first_argument = arguments_.size();
  const size_t first_key = keys_.size();
  Bytes rest = stream_.substr(taken_, kBytesMax - std::min(taken_, kBytesMax));
  const size_t offered = rest.size();
  if (!take_request(rest, arguments_)) return false;
  const auto args = std::span<const Bytes>(arguments_).subspan(first_argument);
  if (args.empty()) return false;
  const Command* command = find(args);
  if (command == nullptr || !command->arity_fits(args.size())) return false;
  if (command == multi_ || command == exec_) {
    if (in_transaction == (command == multi_)) return false;
    in_transaction = command == multi_;
  } else if (command == select_) {
    if (!select(args)) return false;
  } else if (!command->has(kBrief) || !command->has(kWrite) || !declare_keys(*command, args)) {
    return false;
  }
  taken_ += offered - rest.size();
  items_.push_back({.command = command,
                    .first_argument = static_cast<uint32_t>(first_argument),
                    .argument_count = static_cast<uint32_t>(args.size()),
                    .first_key = static_cast<uint32_t>(first_key),
                    .key_count = static_cast<uint32_t>(keys_.size() - first_key),
                    .end = static_cast<uint32_t>(taken_),
                    .database = database_,
                    .ends_step = false});
  return !is_waited_for(items_.back());
}

// Streams repeat themselves.
const Command* StreamBatch::find(std::span<const Bytes> args) {
  if (last_ != nullptr && args[0] == last_word_) return last_;
  const Command* command = engine_.registry.find(args[0]);
  if (command == nullptr) return nullptr;
  if (!command->subcommands.empty()) return engine_.registry.resolve(args);
  last_ = command;
  last_word_ = args[0];
  return command;
}

bool StreamBatch::select(std::span<const Bytes> args) {
  const auto index = parse_int64(args[1]);
  if (!index || *index < 0 || *index >= engine_.keyspace.database_count()) return false;
  database_ = static_cast<int>(*index);
  return true;
}

bool StreamBatch::declare_keys(const Command& command, std::span<const Bytes> args) {
  if (command.row.handler == nullptr || command.scope(args) != LockScope::kKeys) return false;
  const size_t before = keys_.size();
  const bool fits = for_each_key(command, args, found_, [this](Bytes key) {
    keys_.push_back({key, engine_.keyspace.place(key)});
    stripes_.add(keys_.back().place.stripe());
  });
  return fits && keys_.size() != before;
}

// The item, what it points to, and that again.
void StreamBatch::prefetch_step(int step, size_t at) const {
  const Item& item = items_[at];
  if (step == 0) return __builtin_prefetch(&item);
  if (step == 1) {
    __builtin_prefetch(keys_.data() + item.first_key);
    __builtin_prefetch(arguments_.data() + item.first_argument);
    return __builtin_prefetch(arguments_.data() + item.first_argument + item.argument_count - 1);
  }
  for (const Bytes argument : arguments(item).first(std::min(item.argument_count, kFetchedMax))) {
    __builtin_prefetch(argument.data());
  }
}

bool StreamBatch::is_waited_for(const Item& item) const {
  return std::ranges::any_of(keys(item), [&](const DeclaredKey& key) {
    return engine_.keyspace.interest().any(key.place.hash);
  });
}

void StreamBatch::drop_waited_for() {
  if (engine_.keyspace.interest().none()) return;
  size_t keep = 0;
  for (size_t at = 0; at < items_.size() && !is_waited_for(items_[at]); ++at) {
    if (items_[at].ends_step) keep = at + 1;
  }
  if (keep == items_.size()) return;
  sorted_ = false;
  items_.resize(keep);
  if (keep != 0) database_ = items_.back().database;
}

uint8_t StreamBatch::root(uint8_t stripe) {
  while (joined_to_[stripe] != stripe) {
    stripe = joined_to_[stripe] = joined_to_[joined_to_[stripe]];
  }
  return stripe;
}

// Small lanes are put together until they are worth a piece of work of their own: keys are brought
// near together within one.
void StreamBatch::sort() {
  sorted_ = true;
  std::iota(joined_to_.begin(), joined_to_.end(), uint8_t{0});
  for (const Item& item : items_) {
    if (item.key_count < 2) continue;
    const uint8_t first = root(stripe_of(keys(item)[0]));
    for (const DeclaredKey& key : keys(item).subspan(1)) joined_to_[root(stripe_of(key))] = first;
  }
  // What has no key is counted in whichever lane.
  const auto root_of = [&](const Item& item) {
    return item.key_count == 0 ? root(0) : root(stripe_of(keys(item)[0]));
  };
  std::array<uint16_t, kStripes> size{};
  for (const Item& item : items_) ++size[root_of(item)];
  std::array<uint16_t, kStripes> lane_of{};
  std::array<uint16_t, kLanesMax + 1> end{};
  const size_t enough = items_.size() / kLanesMax + 1;
  size_t lane = 0;
  for (size_t stripe = 0; stripe < kStripes; ++stripe) {
    lane_of[stripe] = static_cast<uint16_t>(lane);
    end[lane] = static_cast<uint16_t>(end[lane] + size[stripe]);
    if (end[lane] >= enough) ++lane;
  }
  by_lane_.resize(items_.size());
  lanes_.clear();
  std::array<uint16_t, kLanesMax + 1> next{};
  for (size_t i = 0, at = 0; i <= kLanesMax; ++i) {
    next[i] = static_cast<uint16_t>(at);
    if (end[i] != 0) lanes_.emplace_back(by_lane_.data() + at, end[i]);
    at += end[i];
  }
  for (size_t i = 0; i < items_.size(); ++i) {
    by_lane_[next[lane_of[root_of(items_[i])]]++] = static_cast<uint16_t>(i);
  }
  longest_lane_ = std::ranges::max(lanes_, {}, [](const auto& one) { return one.size(); }).size();
}

}  // namespace tandem
