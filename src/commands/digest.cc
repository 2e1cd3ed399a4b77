#include "commands/digest.h"

#include <fmt/format.h>

#include "base/checksum.h"
#include "base/number.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "data/stream.h"

namespace tandem {
namespace {

Bytes bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

void combine(Digest& digest, Bytes bytes) {
  const Digest hash = sha1(bytes);
  for (size_t i = 0; i < digest.size(); ++i) digest[i] ^= hash[i];
}

void chain(Digest& digest, Bytes bytes) {
  combine(digest, bytes);
  digest = sha1(bytes_of(digest));
}

void chain_number(Digest& digest, uint32_t number) {
  const char bytes[4] = {static_cast<char>(number >> 24), static_cast<char>(number >> 16),
                         static_cast<char>(number >> 8), static_cast<char>(number)};
  chain(digest, {bytes, sizeof(bytes)});
}

void combine_pair(Digest& digest, Bytes first, Bytes second) {
  Digest pair{};
  chain(pair, first);
  chain(pair, second);
  combine(digest, bytes_of(pair));
}

// The type's number in the digest; 5 is a module's.
uint32_t type_number(ValueType type) {
  return type == ValueType::kStream ? 6 : static_cast<uint32_t>(type);
}

void add_stream(Digest& digest, const Stream& stream) {
  stream.for_each(kStreamIdMin, kStreamIdMax, false,
                  [&](StreamId id, std::span<const Element> fields_and_values) {
                    chain(digest, fmt::format("{}.{}", id.ms, id.seq));
                    for (const Element& element : fields_and_values) chain(digest, element.text());
                    return true;
                  });
}

void add_value(Digest& digest, const Entry& entry) {
  chain_number(digest, type_number(entry.type()));
  switch (entry.type()) {
    case ValueType::kString:
      chain(digest, *StringText(entry));
      break;
    case ValueType::kList:
      entry.as<List>().for_each([&](Bytes element) {
        chain(digest, element);
        return true;
      });
      break;
    case ValueType::kSet:
      entry.as<Set>().for_each([&](Bytes member) {
        combine(digest, member);
        return true;
      });
      break;
    case ValueType::kSortedSet:
      entry.as<SortedSet>().for_each([&](Bytes member, double score) {
        combine_pair(digest, member, double_text(score));
        return true;
      });
      break;
    case ValueType::kHash:
      entry.as<Hash>().for_each([&](Bytes field, Bytes value) {
        combine_pair(digest, field, value);
        return true;
      });
      break;
    case ValueType::kStream:
      add_stream(digest, entry.as<Stream>());
      break;
  }
  if (entry.has_expiry()) combine(digest, "!!expire!!");
}

}  // namespace

Digest digest_of_value(const Entry& entry) {
  Digest digest{};
  add_value(digest, entry);
  return digest;
}

Digest digest_of_all(const AllStripes& /*all*/, View& keys) {
  Digest all{};
  for (int database = 0; database < keys.database_count(); ++database) {
    DatabaseTables* tables = keys.access().keyspace().tables(database);
    if (tables == nullptr || tables->keys() == 0) continue;
    chain_number(all, static_cast<uint32_t>(database));
    for (int i = 0; i < kPartitions; ++i) {
      tables->partition(i).for_each([&](const Entry* entry) {
        Digest digest{};
        chain(digest, entry->key());
        add_value(digest, *entry);
        combine(all, bytes_of(digest));
      });
    }
  }
  return all;
}

std::string digest_text(const Digest& digest) {
  std::string text;
  for (const uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace tandem
