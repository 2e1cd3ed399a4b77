// What is compact in memory goes out as the bytes it has, where the version's readers know them;
// everything else goes out element by element. Loading either gives the same value.
#include "rdb/rdb_values.h"

#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/number.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/old_formats.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_stream.h"

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

RdbAttributes rdb_attributes_of(const Entry& entry, const RdbUses& uses) {
  RdbAttributes attributes;
  if (entry.has_expiry()) attributes.expire_ms = entry.expiry_ms();
  switch (uses.told) {
    case RdbUses::Told::kNothing:
      break;
    case RdbUses::Told::kIdleTime:
      attributes.idle_s = idle_seconds(entry.use(), uses.now_s);
      break;
    case RdbUses::Told::kFrequency:
      attributes.use_frequency = frequency(entry.use(), uses.now_s, uses.decay_minutes);
      break;
  }
  return attributes;
}

void rdb_encode_head(RdbEncoder& encoder, Bytes key, uint8_t type,
                     const RdbAttributes& attributes) {
  if (attributes.expire_ms) {
    encoder.byte(kRdbExpireMs);
    encoder.number64(static_cast<uint64_t>(*attributes.expire_ms));
  }
  if (attributes.idle_s) {
    encoder.byte(kRdbIdle);
    encoder.length(*attributes.idle_s);
  }
  if (attributes.use_frequency) {
    encoder.byte(kRdbFrequency);
    encoder.byte(*attributes.use_frequency);
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

// A compact form that is within the limits is taken as it is, after the container has checked it;
// the forms of old versions are taken apart and put together anew.

namespace {

// Fills one container of a type from any of its encodings. `scratch_` and `other_` hold decoded
// strings.
class ValueDecoder {
 public:
  ValueDecoder(RdbDecoder& decoder, const EncodingLimits& limits)
      : decoder_(decoder), limits_(limits) {}

  std::unique_ptr<List> list(uint8_t type) {
    auto list = std::make_unique<List>();
    switch (type) {
      case kRdbList:
        read_list(*list);
        break;
      case kRdbListZiplist:
        read_list_ziplist(*list);
        break;
      default:
        read_list_nodes(*list, type);
        break;
    }
    return whole(std::move(list));
  }

  std::unique_ptr<Set> set(uint8_t type) {
    auto set = std::make_unique<Set>();
    switch (type) {
      case kRdbSet:
        read_set(*set);
        break;
      case kRdbSetIntset:
        take(*set, Set::from_intset(blob(), limits_));
        break;
      default:
        take(*set, Set::from_listpack(blob(), limits_));
        break;
    }
    return whole(std::move(set));
  }

  std::unique_ptr<SortedSet> sorted_set(uint8_t type) {
    auto set = std::make_unique<SortedSet>();
    switch (type) {
      case kRdbZset:
      case kRdbZset2:
        read_sorted_set(*set, type);
        break;
      case kRdbZsetZiplist:
        read_sorted_set_ziplist(*set);
        break;
      default:
        take(*set, SortedSet::from_listpack(blob(), limits_));
        break;
    }
    return whole(std::move(set));
  }

  std::unique_ptr<Hash> hash(uint8_t type) {
    auto hash = std::make_unique<Hash>();
    switch (type) {
      case kRdbHash:
        read_hash(*hash);
        break;
      case kRdbHashZipmap:
        read_hash_zipmap(*hash);
        break;
      case kRdbHashZiplist:
        read_hash_ziplist(*hash);
        break;
      default:
        take(*hash, Hash::from_listpack(blob(), limits_));
        break;
    }
    return whole(std::move(hash));
  }

 private:
  Bytes blob() { return decoder_.string(scratch_); }

  // The value itself, unless something was wrong with it.
  template <class Container>
  std::unique_ptr<Container> whole(std::unique_ptr<Container> container) {
    if (!decoder_.ok()) return nullptr;
    return container;
  }

  template <class Container>
  void take(Container& container, Result<Container> made) {
    if (!decoder_.ok()) return;  // it was made of no bytes then
    if (made) {
      container = std::move(*made);
    } else {
      decoder_.fail(std::move(made.error().text));
    }
  }

  void check(const Result<void>& read) {
    if (!read) decoder_.fail(read.error().text);
  }

  void add(Set& set, Bytes member) {
    if (decoder_.ok() && !set.add(member, limits_)) {
      decoder_.fail(fmt::format("the member {} twice", rdb_quoted(member)));
    }
  }

  void add(Hash& hash, Bytes field, Bytes value) {
    if (decoder_.ok() && !hash.set(field, value, limits_)) {
      decoder_.fail(fmt::format("the field {} twice", rdb_quoted(field)));
    }
  }

  void add(SortedSet& set, Bytes member, double score) {
    if (!decoder_.ok()) return;
    if (std::isnan(score)) {
      decoder_.fail(fmt::format("the member {} has no number as its score", rdb_quoted(member)));
    } else if (set.set(member, score, limits_) != SortedSet::Change::kAdded) {
      decoder_.fail(fmt::format("the member {} twice", rdb_quoted(member)));
    }
  }

  void read_list(List& list) {
    for (uint64_t left = decoder_.length(); left > 0 && decoder_.ok(); --left) {
      const Bytes element = decoder_.string(scratch_);
      if (decoder_.ok()) list.push(ListEnd::kTail, element, limits_);
    }
  }

  void read_list_ziplist(List& list) { append_ziplist(list, blob()); }

  void append_ziplist(List& list, Bytes ziplist) {
    if (!decoder_.ok()) return;
    check(read_ziplist(ziplist, [&](const Element& element) {
      list.push(ListEnd::kTail, element.text(), limits_);
    }));
  }

  void read_list_nodes(List& list, uint8_t type) {
    for (uint64_t left = decoder_.length(); left > 0 && decoder_.ok(); --left) {
      const uint64_t container =
          type == kRdbListQuicklist2 ? decoder_.length() : uint64_t{kRdbContainerPacked};
      const Bytes node = blob();
      if (!decoder_.ok()) return;
      if (type == kRdbListQuicklist) {
        append_ziplist(list, node);
      } else if (container == kRdbContainerPlain) {
        list.append_plain_node(node);
      } else if (container == kRdbContainerPacked) {
        check(list.append_packed_node(node));
      } else {
        decoder_.fail(fmt::format("a list node of unknown kind {}", container));
      }
    }
    if (decoder_.ok() && type == kRdbListQuicklist2 && !list.empty()) list.finish_loading(limits_);
  }

  void read_set(Set& set) {
    const uint64_t members = decoder_.length();
    if (!decoder_.ok()) return;
    if (members > limits_.set_max_intset_entries) set.reserve(members, limits_);
    for (uint64_t left = members; left > 0 && decoder_.ok(); --left) {
      add(set, decoder_.string(scratch_));
    }
  }

  void read_hash(Hash& hash) {
    const uint64_t fields = decoder_.length();
    if (!decoder_.ok()) return;
    hash.reserve(fields, limits_);
    for (uint64_t left = fields; left > 0 && decoder_.ok(); --left) {
      const Bytes field = decoder_.string(scratch_);
      add(hash, field, decoder_.string(other_));
    }
  }

  void read_hash_zipmap(Hash& hash) {
    const Bytes zipmap = blob();
    if (!decoder_.ok()) return;
    check(read_zipmap(zipmap, [&](Bytes field, Bytes value) { add(hash, field, value); }));
    if (hash.empty()) decoder_.fail("an empty zipmap");
  }

  // Calls pair for every two elements of a ziplist.
  template <class Pair>
  void read_ziplist_pairs(Pair pair) {
    const Bytes ziplist = blob();
    if (!decoder_.ok()) return;
    bool first = true;
    check(read_ziplist(ziplist, [&](const Element& element) {
      if (first) {
        other_ = element.copy();
      } else {
        pair(Bytes(other_), element);
      }
      first = !first;
    }));
    if (!first) decoder_.fail("a ziplist of pairs with an odd number of elements");
  }

  void read_hash_ziplist(Hash& hash) {
    read_ziplist_pairs([&](Bytes field, const Element& value) { add(hash, field, value.text()); });
  }

  void read_sorted_set_ziplist(SortedSet& set) {
    read_ziplist_pairs([&](Bytes member, const Element& score) {
      const auto number = parse_double(score.text());
      if (!number) {
        decoder_.fail(fmt::format("the member {} has no number as its score", rdb_quoted(member)));
      } else {
        add(set, member, *number);
      }
    });
  }

  void read_sorted_set(SortedSet& set, uint8_t type) {
    const uint64_t members = decoder_.length();
    if (!decoder_.ok()) return;
    set = SortedSet(members, 0, limits_);
    for (uint64_t left = members; left > 0 && decoder_.ok(); --left) {
      const Bytes member = decoder_.string(scratch_);
      add(set, member, type == kRdbZset ? decoder_.old_double() : decoder_.ieee_double());
    }
  }

  RdbDecoder& decoder_;
  const EncodingLimits& limits_;
  std::string scratch_;
  std::string other_;
};

template <class Container>
std::optional<Value> value_of(std::unique_ptr<Container> container) {
  if (!container) return std::nullopt;
  return Value(std::move(container));
}

std::optional<Value> decode_text(RdbDecoder& decoder) {
  std::string scratch;
  const Bytes text = decoder.string(scratch);
  if (!decoder.ok()) return std::nullopt;
  if (text.data() == scratch.data()) return Value(std::move(scratch));
  return Value(std::string(text));
}

}  // namespace

std::optional<Value> rdb_decode_value(RdbDecoder& decoder, uint8_t type,
                                      const EncodingLimits& limits) {
  ValueDecoder values(decoder, limits);
  switch (type) {
    case kRdbString:
      return decode_text(decoder);
    case kRdbList:
    case kRdbListZiplist:
    case kRdbListQuicklist:
    case kRdbListQuicklist2:
      return value_of(values.list(type));
    case kRdbSet:
    case kRdbSetIntset:
    case kRdbSetListpack:
      return value_of(values.set(type));
    case kRdbZset:
    case kRdbZset2:
    case kRdbZsetZiplist:
    case kRdbZsetListpack:
      return value_of(values.sorted_set(type));
    case kRdbHash:
    case kRdbHashZipmap:
    case kRdbHashZiplist:
    case kRdbHashListpack:
      return value_of(values.hash(type));
    case kRdbStreamListpacks:
    case kRdbStreamListpacks2:
    case kRdbStreamListpacks3:
      return value_of(rdb_decode_stream(decoder, type));
    default:
      decoder.fail(fmt::format("unknown type {}", type));
      return std::nullopt;
  }
}

bool rdb_is_empty_collection(const Value& value) {
  switch (value.type()) {
    case ValueType::kList:
      return value.as<List>().empty();
    case ValueType::kSet:
      return value.as<Set>().empty();
    case ValueType::kSortedSet:
      return value.as<SortedSet>().empty();
    case ValueType::kHash:
      return value.as<Hash>().empty();
    case ValueType::kString:
    case ValueType::kStream:
      return false;
  }
  return false;
}

void rdb_encode_library(RdbEncoder& encoder, Bytes code) {
  encoder.byte(kRdbFunction2);
  encoder.string(code);
}

std::string rdb_module_name(uint64_t id) {
  // Nine letters of six bits from the top, then ten bits of the module's own version.
  static constexpr Bytes kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string name;
  for (int letter = 0; letter < 9; ++letter) name += kLetters[id >> (58 - 6 * letter) & 63];
  return name;
}

}  // namespace tandem
