// What the parts on the way of every command cost by themselves, for those who work on them:
// `./dev bench parts`. The figures of the whole server are bench/run.py's.
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/random.h"
#include "keyspace/keyspace.h"
#include "log/log.h"
#include "resp/request.h"

namespace tandem {
namespace {

std::string key_of(uint64_t number) { return "key:" + std::to_string(1'000'000'000'000 + number); }

std::string set_request(uint64_t number) {
  return "*3\r\n$3\r\nSET\r\n$17\r\n" + key_of(number) + "\r\n$8\r\nxxxxxxxx\r\n";
}

// A batch of requests as one read brings them.
void parse_requests(benchmark::State& state) {
  std::string bytes;
  for (int64_t i = 0; i < state.range(0); ++i) bytes += set_request(static_cast<uint64_t>(i));
  RequestParser parser;
  for (auto _ : state) {
    Bytes rest = bytes;
    while (parser.next(rest) == ParseStatus::kRequest) {
      benchmark::DoNotOptimize(parser.args().data());
      rest.remove_prefix(parser.raw().size());
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(parse_requests)->Arg(1)->Arg(16)->Arg(64);

// A table of so many keys, which belong to it.
class FilledTable {
 public:
  explicit FilledTable(int64_t size) {
    for (int64_t i = 0; i < size; ++i) {
      keys_.push_back(key_of(static_cast<uint64_t>(i)));
      Entry* entry = Entry::make_string(keys_.back(), "xxxxxxxx", kNoExpiry);
      table.insert(traits, traits.hash_key(keys_.back()), entry);
    }
  }
  ~FilledTable() {
    table.for_each([](Entry* entry) { Entry::destroy(entry); });
  }
  FilledTable(const FilledTable&) = delete;
  FilledTable& operator=(const FilledTable&) = delete;
  Bytes any(Random& random) const { return keys_[random.below(keys_.size())]; }

  EntryTraits traits;
  PartitionTable table;

 private:
  std::vector<std::string> keys_;
};

void find_in_table(benchmark::State& state) {
  FilledTable filled(state.range(0));
  Random random{1};
  for (auto _ : state) {
    const Bytes key = filled.any(random);
    benchmark::DoNotOptimize(filled.table.find(filled.traits, filled.traits.hash_key(key), key));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find_in_table)->RangeMultiplier(32)->Range(32, 1 << 20);

// Takes an entry out and puts it back: splits and merges are in it.
void change_table(benchmark::State& state) {
  FilledTable filled(state.range(0));
  Random random{1};
  for (auto _ : state) {
    const Bytes key = filled.any(random);
    const uint64_t hash = filled.traits.hash_key(key);
    const PartitionTable::Slot slot = filled.table.find_slot(filled.traits, hash, key);
    Entry* entry = filled.table.erase(filled.traits, slot);
    filled.table.insert(filled.traits, hash, entry);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(change_table)->RangeMultiplier(32)->Range(32, 1 << 20);

void append_to_log(benchmark::State& state) {
  Random seeded{1};
  Log log({}, ReplicationId::generate(seeded));
  Keyspace keyspace({});
  log.activate(ExclusiveGuard(keyspace), ReplicationId::generate(seeded));
  const std::string record = set_request(1);
  for (auto _ : state) benchmark::DoNotOptimize(log.append(record, 0, {}));
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(record.size()));
}
BENCHMARK(append_to_log);

}  // namespace
}  // namespace tandem
