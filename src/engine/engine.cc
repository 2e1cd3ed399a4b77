#include "engine/engine.h"

namespace tandem {
namespace {

int64_t all_keys(const Keyspace& keyspace) {
  int64_t keys = 0;
  for (int database = 0; database < keyspace.database_count(); ++database) {
    keys += keyspace.keys(database);
  }
  return keys;
}

}  // namespace

// A whole database is too much to be counted through: it takes its keys' share of the data.
void Engine::discard(Garbage garbage) {
  if (garbage.empty() || free_later == nullptr) return;
  if (memory.exists()) [[unlikely]] {
    int64_t bytes = garbage.value_bytes();
    if (garbage.tables() != nullptr) {
      bytes += memory.bytes_of_keys(garbage.tables()->keys(), all_keys(keyspace));
    }
    garbage.add(memory.begin_leaving(bytes));
  }
  free_later(std::move(garbage));
}

}  // namespace tandem
