#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include <fmt/format.h>

#include "base/number.h"
#include "commands/digest.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "engine/executor.h"
#include "keyspace/use.h"
#include "rdb/dump.h"
#include "rdb/rdb_format.h"
#include "server/commands/debug.h"

namespace tandem {
namespace {

void digest(SessionContext& c, const DebugParts& /*parts*/) {
  c.reply.simple(digest_text(digest_of_all(c.keys.all_stripes(), c.keys)));
}

void digest_value(SessionContext& c, const DebugParts& /*parts*/) {
  c.reply.array(static_cast<int64_t>(c.args.size()) - 2);
  for (const Bytes key : c.args.subspan(2)) {
    const Entry* entry = c.keys.peek(key);
    c.reply.simple(digest_text(entry == nullptr ? Digest{} : digest_of_value(*entry)));
  }
}

// Answers where there is no such key.
const Entry* find(SessionContext& c) {
  const Entry* entry = c.keys.peek(c.args[2]);
  if (entry == nullptr) c.reply.error(kNoSuchKey);
  return entry;
}

// What a value takes in an RDB file, without its type.
size_t serialized_bytes(const Entry& entry) {
  constexpr size_t kTypeBytes = 1;
  char digits[kInt64TextMax];
  std::string payload;
  dump_value(entry.ref(digits), RdbWriteOptions{}, payload);
  return payload.size() - kTypeBytes - kRdbDumpFooterBytes;
}

std::string list_fields(const List& list, int64_t node_max) {
  size_t bytes = 0;
  list.for_each_node([&](bool, Bytes blob) { bytes += blob.size(); });
  const size_t nodes = list.node_count();
  return fmt::format(
      " ql_nodes:{} ql_avg_node:{:.2f} ql_listpack_max:{} ql_compressed:0 ql_uncompressed_size:{}",
      nodes, static_cast<double>(list.size()) / static_cast<double>(std::max<size_t>(nodes, 1)),
      node_max, bytes);
}

void object(SessionContext& c, const DebugParts& /*parts*/) {
  const Entry* entry = find(c);
  if (entry == nullptr) return;
  const Bytes encoding = entry->encoding_name();
  constexpr int64_t kMsPerSecond = 1000;
  std::string line = fmt::format(
      "Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
      static_cast<const void*>(entry), encoding, serialized_bytes(*entry), entry->use(),
      idle_seconds(entry->use(), c.now_ms / kMsPerSecond));
  if (encoding == "quicklist") {
    line += list_fields(entry->as<List>(), c.keys.limits().list_max_listpack_size);
  }
  c.reply.simple(line);
}

std::optional<ListpackView> view_of(const Listpack* pack) {
  return pack != nullptr ? std::optional(pack->view()) : std::nullopt;
}

// The listpack that a value is, where it is one.
std::optional<ListpackView> listpack_of(const Entry& entry) {
  switch (entry.type()) {
    case ValueType::kList:
      return view_of(entry.as<List>().listpack());
    case ValueType::kSet:
      return view_of(entry.as<Set>().listpack());
    case ValueType::kSortedSet:
      return view_of(entry.as<SortedSet>().listpack());
    case ValueType::kHash:
      return entry.as<Hash>().listpack();
    case ValueType::kString:
    case ValueType::kStream:
      break;
  }
  return std::nullopt;
}

// For who started the server by hand, as in Redis.
void print_listpack(const ListpackView& pack) {
  fmt::print("{{total bytes {}}} {{num entries {}}}\n", pack.bytes().size(), pack.count());
  for (auto at = pack.first(); at != pack.end(); at = pack.next(at)) {
    fmt::print("{:>6} {}\n", at, pack.get(at).copy());
  }
  std::fflush(stdout);
}

void listpack(SessionContext& c, const DebugParts& /*parts*/) {
  const Entry* entry = find(c);
  if (entry == nullptr) return;
  const std::optional<ListpackView> pack = listpack_of(*entry);
  if (!pack) return c.reply.error("ERR Not a listpack encoded object.");
  print_listpack(*pack);
  c.reply.simple("Listpack structure printed on stdout");
}

void quicklist(SessionContext& c, const DebugParts& /*parts*/) {
  const Entry* entry = find(c);
  if (entry == nullptr) return;
  if (entry->encoding_name() != "quicklist") {
    return c.reply.error("ERR Not a quicklist encoded object.");
  }
  entry->as<List>().for_each_node([](bool plain, Bytes blob) {
    fmt::print("{} node of {} bytes\n", plain ? "plain" : "packed", blob.size());
  });
  std::fflush(stdout);
  c.reply.simple("Quicklist structure printed on stdout");
}

void string_sizes(SessionContext& c, const DebugParts& /*parts*/) {
  const Entry* entry = find(c);
  if (entry == nullptr) return;
  if (entry->type() != ValueType::kString || entry->is_integer()) {
    return c.reply.error("ERR Not an sds encoded string.");
  }
  const size_t value = entry->text_size();
  c.reply.simple(fmt::format(
      "key_sds_len:{}, key_sds_avail:0, key_zmalloc: {}, val_sds_len:{}, val_sds_avail:0, "
      "val_zmalloc: {}",
      c.args[2].size(), c.args[2].size(), value, entry->memory_bytes()));
}

// The chains of hash tables, in Redis's words: a slot is a bucket of one cache line with the
// buckets that it overflows into.
class ChainLengths {
 public:
  void add(const PartitionTable& table) {
    for (uint32_t i = 0; i < table.bucket_count(); ++i) {
      size_t length = 0;
      PartitionTable::for_each_in_chain(table.bucket_at(i), [&](Entry*, bool) { ++length; });
      ++buckets_[length];
    }
  }

  std::string text() const {
    size_t slots = 0;
    size_t used = 0;
    size_t elements = 0;
    for (const auto& [length, count] : buckets_) {
      slots += count;
      used += length == 0 ? 0 : count;
      elements += length * count;
    }
    std::string text = "Hash table 0 stats (main hash table):\n";
    if (elements == 0) return text + "No stats available for empty dictionaries\n";
    const auto per = [](size_t part, size_t whole) {
      return static_cast<double>(part) / static_cast<double>(whole);
    };
    text += fmt::format(
        " table size: {}\n number of elements: {}\n different slots: {}\n max chain length: {}\n"
        " avg chain length (counted): {:.02f}\n avg chain length (computed): {:.02f}\n"
        " Chain length distribution:\n",
        slots, elements, used, buckets_.rbegin()->first, per(elements, used), per(elements, used));
    for (const auto& [length, count] : buckets_) {
      text += fmt::format("   {}: {} ({:.02f}%)\n", length, count, 100 * per(count, slots));
    }
    return text;
  }

 private:
  std::map<size_t, size_t> buckets_;  // by the length of their chains
};

// Expiries lie in the entries, so there is no table of them.
std::string expiries_text(int64_t expiring) {
  return fmt::format("[Expires HT]\n number of elements: {}\n", expiring);
}

void table_stats(SessionContext& c, const DebugParts& /*parts*/) {
  const auto number = parse_int64(c.args[2]);
  if (!number) return c.reply.error(kNotInteger);
  Keyspace& keyspace = c.executor.engine().keyspace;
  if (*number < 0 || *number >= keyspace.database_count()) {
    return c.reply.error("ERR Out of range database");
  }
  ChainLengths lengths;
  DatabaseTables* tables = keyspace.tables(static_cast<int>(*number));
  for (int i = 0; tables != nullptr && i < kPartitions; ++i) lengths.add(tables->partition(i));
  c.reply.verbatim("[Dictionary HT]\n" + lengths.text() +
                   expiries_text(tables == nullptr ? 0 : tables->expiring()));
}

}  // namespace

std::span<const DebugSubcommand> debug_value_subcommands() {
  static constexpr DebugSubcommand kSubcommands[] = {
      {"digest", 2, 2, digest},       {"digest-value", 2, kAnyWords, digest_value},
      {"object", 3, 3, object},       {"listpack", 3, 3, listpack},
      {"quicklist", 3, 4, quicklist}, {"sdslen", 3, 3, string_sizes},
      {"htstats", 3, 3, table_stats},
  };
  return kSubcommands;
}

}  // namespace tandem
