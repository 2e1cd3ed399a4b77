// For tests of this part: values of every type and size by chance, and values and files as text to
// compare.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/number.h"
#include "base/random.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "data/stream.h"
#include "keyspace/value.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_values.h"

namespace tandem {

inline std::string random_text(Random& random) {
  if (random.below(3) == 0)
    return int64_text(static_cast<int64_t>(random.next() >> random.below(64)));
  std::string text;
  const uint64_t alphabet = 1 + random.below(256);
  for (uint64_t left = random.below(random.below(12) == 0 ? 300 : 30); left > 0; --left) {
    text += static_cast<char>('a' + random.below(alphabet));
  }
  return text;
}

inline std::unique_ptr<Stream> random_stream(Random& random, const EncodingLimits& limits) {
  auto stream = std::make_unique<Stream>();
  StreamId id{1 + random.below(1000), random.below(5)};
  std::vector<StreamId> ids;
  for (uint64_t left = random.below(40); left > 0; --left) {
    const std::vector<std::string> texts = {"field", random_text(random), random_text(random),
                                            random_text(random)};
    std::vector<Bytes> fields(texts.begin(), texts.begin() + (random.below(4) == 0 ? 4 : 2));
    if (stream->append(id, fields, limits)) ids.push_back(id);
    id = random.below(2) == 0 ? StreamId{id.ms, id.seq + 1 + random.below(3)}
                              : StreamId{id.ms + 1 + random.below(100), random.below(3)};
  }
  for (uint64_t left = random.below(6); left > 0 && !ids.empty(); --left) {
    stream->erase(ids[random.below(ids.size())]);
  }
  for (uint64_t left = random.below(3); left > 0; --left) {
    StreamGroup group(random_text(random), ids.empty() ? StreamId{} : ids[random.below(ids.size())],
                      random.below(2) == 0 ? StreamGroup::kEntriesReadUnknown
                                           : static_cast<int64_t>(random.below(100)));
    for (uint64_t consumers = random.below(3); consumers > 0; --consumers) {
      const std::string name = random_text(random);
      group.add_consumer(name, static_cast<int64_t>(random.below(1U << 31)));
      StreamConsumer& consumer = *group.write_consumer(name);
      consumer.active_time_ms = static_cast<int64_t>(random.below(1000)) - 1;
      for (const StreamId pending : ids) {
        if (random.below(4) != 0) continue;
        group.assign(pending, consumer, static_cast<int64_t>(random.below(1U << 31)),
                     random.below(9));
      }
    }
    stream->add_group(std::move(group));
  }
  return stream;
}

// Not empty, except for streams and texts.
inline Value random_value(Random& random, const EncodingLimits& limits) {
  const uint64_t size = 1 + random.below(random.below(4) == 0 ? 700 : 12);
  switch (random.below(6)) {
    case 0:
      return Value(random_text(random));
    case 1: {
      auto list = std::make_unique<List>();
      for (uint64_t left = size; left > 0; --left) {
        const std::string text =
            random.below(200) == 0 ? std::string(9000, 'p') : random_text(random);
        list->push(random.below(3) == 0 ? ListEnd::kHead : ListEnd::kTail, Bytes(text), limits);
      }
      return Value(std::move(list));
    }
    case 2: {
      auto set = std::make_unique<Set>();
      const bool numbers = random.below(2) == 0;
      for (uint64_t left = size; left > 0; --left) {
        set->add(numbers ? int64_text(static_cast<int64_t>(random.next() >> random.below(64)))
                         : random_text(random),
                 limits);
      }
      return Value(std::move(set));
    }
    case 3: {
      auto set = std::make_unique<SortedSet>();
      for (uint64_t left = size; left > 0; --left) {
        const double score = static_cast<double>(random.below(1000)) / 7.0 - 50;
        set->set(random_text(random), random.below(30) == 0 ? 1.0 / 0.0 : score, limits);
      }
      return Value(std::move(set));
    }
    case 4: {
      auto hash = std::make_unique<Hash>();
      for (uint64_t left = size; left > 0; --left) {
        const std::string field = random_text(random);
        hash->set(field, random_text(random), limits);
      }
      return Value(std::move(hash));
    }
    default:
      return Value(random_stream(random, limits));
  }
}

// What RDB of this version can carry of it.
inline std::string describe(const Stream& stream, int version) {
  std::string text = fmt::format("length {} last {}", stream.length(), stream.last_id().text());
  if (version >= kRdbListpacksSince) {
    text +=
        fmt::format(" deleted {} added {}", stream.max_deleted_id().text(), stream.entries_added());
  }
  text += "\n";
  stream.for_each(kStreamIdMin, kStreamIdMax, false,
                  [&](StreamId id, std::span<const Element> fields) {
                    text += id.text();
                    for (const Element& field : fields) text += " " + rdb_quoted(field.text());
                    text += "\n";
                    return true;
                  });
  for (auto group = stream.groups().first(); group; group.next()) {
    text += fmt::format("group {} last {}", rdb_quoted(group->name()), group->last_id().text());
    if (version >= kRdbListpacksSince) text += fmt::format(" read {}", group->entries_read());
    text += "\n";
    for (auto consumer = group->consumers().first(); consumer; consumer.next()) {
      text += fmt::format("consumer {} {}", rdb_quoted(consumer->name()), consumer->seen_time_ms);
      if (version >= kRdbSetListpackSince) text += fmt::format(" {}", consumer->active_time_ms);
      text += "\n";
    }
    for (auto entry = group->pending().first(); entry; entry.next()) {
      text += fmt::format("pending {} {} {} {}\n", entry->id.text(), rdb_quoted(*entry->consumer),
                          entry->delivery_time_ms, entry->delivery_count);
    }
  }
  return text;
}

// Everything a client could see of it; sets and hashes sorted.
inline std::string describe(const Value& value, int version = kRdbListpacksSince) {
  std::vector<std::string> parts;
  switch (value.type()) {
    case ValueType::kString:
      return "string " + rdb_quoted(value.text());
    case ValueType::kStream:
      return "stream " + describe(value.as<Stream>(), version);
    case ValueType::kList:
      value.as<List>().for_each([&](Bytes element) {
        parts.push_back(rdb_quoted(element));
        return true;
      });
      break;
    case ValueType::kSet:
      value.as<Set>().for_each([&](Bytes member) {
        parts.push_back(rdb_quoted(member));
        return true;
      });
      std::ranges::sort(parts);
      break;
    case ValueType::kSortedSet:
      value.as<SortedSet>().for_each([&](Bytes member, double score) {
        parts.push_back(rdb_quoted(member) + "=" + double_text(score));
        return true;
      });
      break;
    case ValueType::kHash:
      value.as<Hash>().for_each([&](Bytes field, Bytes content) {
        parts.push_back(rdb_quoted(field) + "=" + rdb_quoted(content));
        return true;
      });
      std::ranges::sort(parts);
      break;
  }
  std::string text(type_name(value.type()));
  for (const std::string& part : parts) text += " " + part;
  return text;
}

inline std::string encoding_of(const Value& value) {
  switch (value.type()) {
    case ValueType::kList:
      return std::string(value.as<List>().encoding_name());
    case ValueType::kSet:
      return std::string(value.as<Set>().encoding_name());
    case ValueType::kSortedSet:
      return std::string(value.as<SortedSet>().encoding_name());
    case ValueType::kHash:
      return std::string(value.as<Hash>().encoding_name());
    default:
      return "";
  }
}

}  // namespace tandem
