// What is compact in memory goes out as the bytes it has, where the version's readers know them;
// everything else goes out element by element. Loading either gives the same value.
#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_values.h"

namespace tandem {
namespace {

uint8_t type_of_set(const Set& set, int version) {
  if (set.intset()) return kRdbSetIntset;
  return set.listpack() && version >= kRdbSetListpackSince ? kRdbSetListpack : kRdbSet;
}

uint8_t type_of_stream(int version) {
  if (version >= kRdbSetListpackSince) return kRdbStreamListpacks3;
  return version >= kRdbListpacksSince ? kRdbStreamListpacks2 : kRdbStreamListpacks;
}

void encode_list(RdbEncoder& encoder, const List& list, int version) {
  encoder.length(rdb_list_parts(list, version));
  list.for_each_node(
      [&](bool plain, Bytes blob) { rdb_encode_list_node(encoder, plain, blob, version); });
}

void encode_set(RdbEncoder& encoder, const Set& set, int version) {
  if (set.intset()) return encoder.blob(set.intset()->bytes());
  if (set.listpack() && version >= kRdbSetListpackSince) {
    return encoder.blob(set.listpack()->bytes());
  }
  encoder.length(set.size());
  set.for_each([&](Bytes member) {
    encoder.string(member);
    return true;
  });
}

void encode_hash(RdbEncoder& encoder, const Hash& hash, int version) {
  if (hash.listpack() && version >= kRdbListpacksSince) {
    return encoder.blob(hash.listpack()->bytes());
  }
  encoder.length(hash.size());
  hash.for_each([&](Bytes field, Bytes value) {
    encoder.string(field);
    encoder.string(value);
    return true;
  });
}

// The highest first, as stock servers write it: theirs insert fastest so.
void encode_sorted_set(RdbEncoder& encoder, const SortedSet& set, int version) {
  if (set.listpack() && version >= kRdbListpacksSince) {
    return encoder.blob(set.listpack()->bytes());
  }
  encoder.length(set.size());
  set.for_each({0, set.size()}, true, [&](Bytes member, double score) {
    encoder.string(member);
    encoder.ieee_double(score);
    return true;
  });
}

}  // namespace

void rdb_encode_head(RdbEncoder& encoder, Bytes key, uint8_t type,
                     std::optional<int64_t> expire_ms) {
  if (expire_ms) {
    encoder.byte(kRdbExpireMs);
    encoder.number64(static_cast<uint64_t>(*expire_ms));
  }
  encoder.byte(type);
  encoder.string(key);
}

uint64_t rdb_list_parts(const List& list, int version) {
  return version < kRdbListpacksSince ? list.size() : list.node_count();
}

void rdb_encode_list_node(RdbEncoder& encoder, bool plain, Bytes blob, int version) {
  if (version >= kRdbListpacksSince) {
    encoder.length(plain ? kRdbContainerPlain : kRdbContainerPacked);
    return encoder.blob(blob);
  }
  if (plain) return encoder.string(blob);
  const ListpackView entries(blob);
  for (auto at = entries.first(); at != entries.end(); at = entries.next(at)) {
    const Element element = entries.get(at);
    encoder.string(element.text());
  }
}

uint8_t rdb_type_of(const ValueRef& value, int version) {
  const bool listpacks = version >= kRdbListpacksSince;
  switch (value.type) {
    case ValueType::kString:
      return kRdbString;
    case ValueType::kList:
      return listpacks ? kRdbListQuicklist2 : kRdbList;
    case ValueType::kSet:
      return type_of_set(value.as<Set>(), version);
    case ValueType::kSortedSet:
      return listpacks && value.as<SortedSet>().listpack() ? kRdbZsetListpack : kRdbZset2;
    case ValueType::kHash:
      return listpacks && value.as<Hash>().listpack() ? kRdbHashListpack : kRdbHash;
    case ValueType::kStream:
      break;
  }
  return type_of_stream(version);
}

void rdb_encode_value(RdbEncoder& encoder, const ValueRef& value, int version) {
  switch (value.type) {
    case ValueType::kString:
      return encoder.string(value.text);
    case ValueType::kList:
      return encode_list(encoder, value.as<List>(), version);
    case ValueType::kSet:
      return encode_set(encoder, value.as<Set>(), version);
    case ValueType::kSortedSet:
      return encode_sorted_set(encoder, value.as<SortedSet>(), version);
    case ValueType::kHash:
      return encode_hash(encoder, value.as<Hash>(), version);
    case ValueType::kStream:
      return rdb_encode_stream(encoder, value.as<Stream>(), version);
  }
}

}  // namespace tandem
