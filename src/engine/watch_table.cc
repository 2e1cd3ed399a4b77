#include "engine/watch_table.h"

#include "base/number.h"

namespace tandem {
namespace {

std::string name(int database, Bytes key) {
  std::string text = int64_text(database);
  text.push_back(':');
  return text.append(key);
}

}  // namespace

void WatchTable::add(int database, Bytes key, const std::shared_ptr<WatchMark>& mark) {
  watches_of(key)[name(database, key)].push_back(mark);
  ++keyspace_.interest(keyspace_.place(key).stripe());
}

void WatchTable::remove(int database, Bytes key, const std::shared_ptr<WatchMark>& mark) {
  const int stripe = keyspace_.place(key).stripe();
  const Guard guard(keyspace_.stripe(stripe));
  Watches& watches = watches_of(key);
  const auto found = watches.find(name(database, key));
  if (found == watches.end()) return;
  keyspace_.interest(stripe) -= static_cast<uint32_t>(std::erase(found->second, mark));
  if (found->second.empty()) watches.erase(found);
}

void WatchTable::mark_dirty(int database, Bytes key) {
  const Watches& watches = watches_of(key);
  const auto found = watches.find(name(database, key));
  if (found == watches.end()) return;
  for (const auto& mark : found->second) mark->dirty.store(true, std::memory_order_relaxed);
}

void WatchTable::mark_database_dirty(int database, FunctionRef<bool(Bytes key)> concerned) {
  const std::string prefix = name(database, {});
  for (const Watches& watches : watches_) {
    for (const auto& [text, marks] : watches) {
      if (!text.starts_with(prefix) || !concerned(Bytes(text).substr(prefix.size()))) continue;
      for (const auto& mark : marks) mark->dirty.store(true, std::memory_order_relaxed);
    }
  }
}

}  // namespace tandem
