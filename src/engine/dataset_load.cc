#include "engine/dataset_load.h"

#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "base/check.h"
#include "base/logging.h"
#include "base/number.h"
#include "keyspace/entry.h"
#include "keyspace/garbage.h"
#include "keyspace/view.h"
#include "rdb/rdb_values.h"

namespace tandem {
namespace {

constexpr int64_t kEmptyKeysNamedMax = 10;
constexpr int64_t kMsPerSecond = 1000;

}  // namespace

DatasetLoad::DatasetLoad(Keyspace& keyspace, const RdbReadOptions& options, int64_t now_ms,
                         std::optional<DropExpired> drop_expired, FunctionStore* functions)
    : keyspace_(keyspace),
      functions_(functions),
      now_s_(now_ms / kMsPerSecond),
      by_frequency_(keyspace.use_rules().by_frequency.load()),
      drop_expired_(drop_expired),
      reader_(options),
      tables_(static_cast<size_t>(keyspace.database_count())),
      libraries_(functions == nullptr ? nullptr : functions->begin_aside()) {}

Result<size_t> DatasetLoad::feed(Bytes bytes) {
  reader_.feed(bytes);
  for (;;) {
    const uint64_t byte = reader_.bytes_read();
    auto event = reader_.next();
    if (!event) return std::unexpected(event.error());
    if (std::holds_alternative<RdbNeedMore>(*event)) return bytes.size();
    if (std::holds_alternative<RdbEnd>(*event)) {
      tell_passed_over();
      return bytes.size() - reader_.rest().size();
    }
    if (const auto* header = std::get_if<RdbHeader>(&*event)) version_ = header->version;
    if (const auto* field = std::get_if<RdbAuxField>(&*event)) note(*field);
    if (const auto* library = std::get_if<RdbLibrary>(&*event)) {
      auto added = add_library(library->code, byte);
      if (!added) return std::unexpected(added.error());
    }
    if (const auto* empty = std::get_if<RdbEmpty>(&*event)) pass_over(*empty, byte);
    if (auto* entry = std::get_if<RdbEntry>(&*event)) {
      auto added = add(*entry, byte);
      if (!added) return std::unexpected(added.error());
    }
  }
}

void DatasetLoad::note(const RdbAuxField& field) {
  if (field.name == "repl-id") id_ = ReplicationId::parse(field.value);
  if (field.name == "repl-offset") offset_ = parse_uint64(field.value);
  if (field.name == "repl-id2") second_id_ = ReplicationId::parse(field.value);
  if (field.name == "repl-offset2") second_offset_ = parse_uint64(field.value);
  if (field.name == "used-mem") used_memory_bytes_ = parse_int64(field.value).value_or(0);
  if (field.name == "repl-stream-db") {
    const auto database = parse_uint64(field.value);
    if (database && *database < tables_.size()) {
      selected_database_ = static_cast<uint32_t>(*database);
    }
  }
}

Result<void> DatasetLoad::add_library(Bytes code, uint64_t byte) {
  if (libraries_ == nullptr) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("RDB, byte {}: a function library, and there are no functions here", byte));
  }
  const Result<void> added = libraries_->add(code);
  if (added) return {};
  return fail(added.error().code,
              fmt::format("RDB, byte {}: a function library: {}", byte, added.error().text));
}

void DatasetLoad::pass_over(const RdbEmpty& empty, uint64_t byte) {
  if (++empty_keys_ > kEmptyKeysNamedMax) return;
  log_warning("RDB, byte {}, database {}: the key {} has no elements and is passed over", byte,
              empty.database, rdb_quoted(empty.key));
}

void DatasetLoad::tell_passed_over() const {
  if (empty_keys_ > 0) log_warning("RDB: keys without elements passed over: {}", empty_keys_);
}

Result<void> DatasetLoad::add(RdbEntry& entry, uint64_t byte) {
  const int64_t expiry_ms = entry.expire_ms.value_or(kNoExpiry);
  if (is_dropped(entry)) {
    ++expired_keys_;
    return {};
  }
  if (entry.database >= tables_.size()) {
    return fail(ErrorCode::kInvalid, fmt::format("database {} is out of range", entry.database));
  }
  TablesRef& tables = tables_[entry.database];
  if (!tables) {
    tables = std::make_shared<DatabaseTables>();
    tables->cut_index = static_cast<int>(entry.database);
  }
  const KeyPlace place = keyspace_.place(entry.key);
  PartitionTable& table = tables->partition(place.partition);
  if (table.find(keyspace_.traits(), place.hash, entry.key) != nullptr) {
    return fail(ErrorCode::kInvalid,
                fmt::format("RDB, byte {}, database {}: the key {} comes twice", byte,
                            entry.database, rdb_quoted(entry.key)));
  }
  const bool expires = expiry_ms != kNoExpiry;
  Entry* made = Entry::make(entry.key, std::move(entry.value), expiry_ms);
  made->set_use(use_as_told(entry.idle_s, entry.use_frequency, now_s_, by_frequency_));
  table.insert(keyspace_.traits(), place.hash, made, expires);
  tables->count(place.stripe(), 1, expires ? 1 : 0);
  ++keys_;
  return {};
}

bool DatasetLoad::is_dropped(const RdbEntry& entry) const {
  return drop_expired_ && !place() && entry.expire_ms && *entry.expire_ms < drop_expired_->now_ms;
}

std::optional<DatasetPlace> DatasetLoad::place() const {
  if (!id_ || !offset_) return std::nullopt;
  DatasetPlace place{.position = {.id = *id_, .offset = *offset_},
                     .second = {},
                     .selected_database = selected_database_};
  if (second_id_ && second_offset_ && *second_offset_ <= *offset_) {
    place.second = Position{.id = *second_id_, .offset = *second_offset_};
  }
  return place;
}

std::optional<std::string> DatasetLoad::key_of_both(int database) const {
  DatabaseTables* former = keyspace_.tables(database);
  const TablesRef& fresh = tables_[static_cast<size_t>(database)];
  std::optional<std::string> found;
  for (int i = 0; former != nullptr && fresh && i < kPartitions && !found; ++i) {
    fresh->partition(i).for_each([&](Entry* entry) {
      const KeyPlace place = keyspace_.place(entry->key());
      const bool both =
          former->partition(i).find(keyspace_.traits(), place.hash, entry->key()) != nullptr;
      if (both) found = entry->key();
    });
  }
  return found;
}

Result<void> DatasetLoad::take_over(const AllStripes& all, Former former) {
  if (former == Former::kGoes) return {};
  for (int i = 0; former == Former::kStays && i < keyspace_.database_count(); ++i) {
    if (const auto key = key_of_both(i)) {
      return fail(ErrorCode::kRefused,
                  fmt::format("database {}: the key {} is there already", i, rdb_quoted(*key)));
    }
  }
  for (int i = 0; i < keyspace_.database_count(); ++i) take_over(i);
  if (functions_ == nullptr) return {};
  // A library of both names is the new one's.
  for (const auto& code : functions_->codes(all)) (void)libraries_->add(*code);
  return {};
}

void DatasetLoad::take_over(int database) {
  DatabaseTables* former = keyspace_.tables(database);
  if (former == nullptr) return;
  TablesRef& fresh = tables_[static_cast<size_t>(database)];
  if (!fresh) {
    fresh = std::make_shared<DatabaseTables>();
    fresh->cut_index = database;
  }
  for (int i = 0; i < kPartitions; ++i) {
    former->partition(i).clear([&](Entry* entry) {
      const KeyPlace place = keyspace_.place(entry->key());
      const bool expires = entry->has_expiry();
      former->count(place.stripe(), -1, expires ? -1 : 0);
      PartitionTable& table = fresh->partition(i);
      if (table.find(keyspace_.traits(), place.hash, entry->key()) != nullptr) {
        return Entry::destroy(entry);
      }
      table.insert(keyspace_.traits(), place.hash, entry, expires);
      fresh->count(place.stripe(), 1, expires ? 1 : 0);
    });
  }
}

std::vector<TablesRef> DatasetLoad::install(const AllStripes& all) {
  CHECK(reader_.ended(), "only a whole dataset is installed");
  CHECK(keyspace_.snapshot().sink == nullptr, "no snapshot runs while a dataset is installed");
  std::vector<TablesRef> former;
  for (size_t i = 0; i < tables_.size(); ++i) {
    const int database = static_cast<int>(i);
    former.push_back(keyspace_.take_tables(all, database));
    if (tables_[i]) keyspace_.put_tables(all, database, std::move(tables_[i]));
  }
  if (functions_ != nullptr) functions_->install(all, *libraries_);
  return former;
}

Installed install_dataset(Engine& engine, DatasetLoad& load, const DatasetInstall& how) {
  std::vector<TablesRef> former;
  {
    const ExclusiveGuard all(engine.keyspace);
    if (how.is_wanted != nullptr && !how.is_wanted()) return Installed::kUnwanted;
    if (engine.keyspace.snapshot().sink != nullptr) {
      engine.snapshot_turn.interrupt();
      return Installed::kSnapshotRuns;
    }
    if (auto taken = load.take_over(all, how.former); !taken) {
      log_warning("RDB: {}", taken.error().text);
      return Installed::kClash;
    }
    former = load.install(all);
    for (int i = 0; i < engine.keyspace.database_count(); ++i) {
      const KeyAccess::ChangedDatabase changed{i, former[static_cast<size_t>(i)]};
      engine.watch_table.mark_database_dirty(
          all, i, [&](Bytes key) { return changed.concerns(engine.keyspace, key); });
    }
    if (how.place_log != nullptr) how.place_log(all);
    engine.tracking.invalidate_everything();
  }
  for (TablesRef& tables : former) engine.discard(Garbage(std::move(tables)));
  return Installed::kDone;
}

}  // namespace tandem
