#include "replication_sim/numbered_keys.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/core.h>

#include "base/number.h"
#include "engine/key_locks.h"

namespace tandem {
namespace {

constexpr int64_t kNumberedKeys = 8;

std::string key_of(int64_t number) { return fmt::format("number{}", number % kNumberedKeys); }

int64_t number_at(Engine& engine, int database, int64_t key) {
  const Entry* entry = engine.keyspace.find(database, key_of(key));
  char digits[kInt64TextMax];
  return entry == nullptr ? 0 : parse_int64(entry->text(digits)).value_or(-1);
}

std::optional<std::string> check_database(Engine& engine, const KeyLocks& locks, int database) {
  // The last number that was written is at least `least` and below `below`.
  int64_t least = 0;
  int64_t below = std::numeric_limits<int64_t>::max();
  std::string seen;
  for (int64_t key = 0; key < kNumberedKeys; ++key) {
    if (!locks.held().has(engine.keyspace.place(key_of(key)).stripe())) continue;
    const int64_t number = number_at(engine, database, key);
    const int64_t first = key == 0 ? kNumberedKeys : key;
    least = std::max(least, number);
    below = std::min(below, number == 0 ? first : number + kNumberedKeys);
    seen += fmt::format(" {}={}", key_of(key), number);
  }
  if (least < below) return std::nullopt;
  return fmt::format("shows what belongs to no place in a history:{}", seen);
}

}  // namespace

void write_numbers(SimNode& node, Random& chance) {
  int64_t last = 0;
  for (int64_t key = 0; key < kNumberedKeys; ++key) {
    last = std::max(last, number_at(node.engine(), 0, key));
  }
  for (uint64_t left = 1 + chance.below(24); left > 0; --left) {
    const std::string next = std::to_string(last + 1);
    const std::string behind = std::to_string(last + 2);
    switch (chance.below(6)) {
      case 0:
        node.command(0, {"mset", key_of(last + 1), next, key_of(last + 2), behind});
        last += 2;
        break;
      case 1:
        node.transaction(0, {{"set", key_of(last + 1), next}, {"set", key_of(last + 2), behind}});
        last += 2;
        break;
      default:
        node.command(0, {"set", key_of(last + 1), next});
        ++last;
    }
  }
}

std::optional<std::string> check_numbers(Engine& engine) {
  StripeSet wanted;
  for (int64_t key = 0; key < kNumberedKeys; ++key) {
    wanted.add(engine.keyspace.place(key_of(key)).stripe());
  }
  KeyLocks locks(engine.keyspace);
  locks.add_free(wanted);
  for (int database = 0; database < engine.keyspace.database_count(); ++database) {
    if (auto wrong = check_database(engine, locks, database)) return wrong;
  }
  return std::nullopt;
}

}  // namespace tandem
