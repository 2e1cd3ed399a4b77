// A dataset made from an RDB stream beside the one that is served, to take its place as a whole or
// not at all.
//
// Until install() nothing of the keyspace is touched, so a stream that turns out to be cut short or
// corrupt costs nothing but time. The price is the memory of both datasets while the new one is
// made.
//
// Keys of collections without elements, which old servers wrote, are passed over as in Redis; the
// log names the first of them and counts them all.
//
// Libraries of functions are loaded beside the served ones, too, and change places with them.
//
// Confined to one thread. The keyspace and the functions outlive the load.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/engine.h"
#include "keyspace/keyspace.h"
#include "log/log.h"
#include "rdb/rdb_reader.h"

namespace tandem {

// Keys whose time is over at `now_ms` are left out: a primary's own file. A replica keeps them for
// its primary to delete; so does a primary whose file names a place in a log, since the replicas
// that go on from there hold them too and need the DEL that active expiry makes.
struct DropExpired {
  int64_t now_ms;
};

// What a stream's auxiliary fields say of the log at its cut.
struct DatasetPlace {
  Position position;
  // The log's second id, and up to where it counts.
  std::optional<Position> second;
  std::optional<uint32_t> selected_database;
};

// What becomes of the data that were there before.
enum class Former {
  kGoes,
  kStays,      // beside the new; a key of both keeps the new data from being installed
  kMakesRoom,  // stays, but for keys that are among the new
};

class DatasetLoad {
 public:
  // What the stream tells of how keys were used refers to `now_ms`. Without `functions` a stream
  // that has libraries is an error.
  DatasetLoad(Keyspace& keyspace, const RdbReadOptions& options, int64_t now_ms,
              std::optional<DropExpired> drop_expired, FunctionStore* functions = nullptr);

  // Takes the stream's next bytes and says how many of them were its own: fewer than given only
  // once it has ended. An error is final.
  Result<size_t> feed(Bytes bytes);
  bool ended() const { return reader_.ended(); }
  // The input has ended; an error if the stream was not whole.
  Result<void> finish() { return reader_.finish(); }

  int64_t keys() const { return keys_; }
  int64_t expired_keys() const { return expired_keys_; }
  int rdb_version() const { return version_; }

  std::optional<DatasetPlace> place() const;
  std::optional<uint32_t> selected_database() const { return selected_database_; }
  // What the server that wrote it used then; 0: it does not say.
  int64_t used_memory_bytes() const { return used_memory_bytes_; }

  // Before install(): takes what is to stay of the data that are served over into the new ones. An
  // error names a key of both, and nothing has changed. REQUIRES: no snapshot running, ended().
  Result<void> take_over(const AllStripes& all, Former former);

  // Puts the new dataset in the place of the old one and hands the old one out, to be freed without
  // locks held; the old libraries go with this object. REQUIRES: no snapshot running, ended().
  std::vector<TablesRef> install(const AllStripes& all);

 private:
  // `byte`: where in the stream the entry begins.
  Result<void> add(RdbEntry& entry, uint64_t byte);
  void pass_over(const RdbEmpty& empty, uint64_t byte);
  void tell_passed_over() const;
  bool is_dropped(const RdbEntry& entry) const;
  void note(const RdbAuxField& field);
  Result<void> add_library(Bytes code, uint64_t byte);
  std::optional<std::string> key_of_both(int database) const;
  void take_over(int database);

  Keyspace& keyspace_;
  FunctionStore* const functions_;
  const int64_t now_s_;
  const bool by_frequency_;
  const std::optional<DropExpired> drop_expired_;
  RdbReader reader_;
  std::vector<TablesRef> tables_;
  std::unique_ptr<FunctionStore::Aside> libraries_;
  int64_t keys_ = 0;
  int64_t expired_keys_ = 0;
  int64_t empty_keys_ = 0;
  int version_ = 0;
  int64_t used_memory_bytes_ = 0;
  std::optional<ReplicationId> id_;
  std::optional<uint64_t> offset_;
  std::optional<ReplicationId> second_id_;
  std::optional<uint64_t> second_offset_;
  std::optional<uint32_t> selected_database_;
};

// How a loaded dataset takes the place of the one that is served: in one step for everybody, under
// all stripes. Transactions that watch a key which changes by it are dirty, clients that cache are
// told to forget everything, and the log goes on where the new data are. A full sync and the file
// at start both come through here.
//
// Any thread that holds no stripe.

enum class Installed {
  kDone,
  kUnwanted,
  kSnapshotRuns,  // of the former data; it was asked to end, and this is to be tried again
  kClash,         // a key is in both data (Former::kStays)
};

struct DatasetInstall {
  std::function<bool()> is_wanted{};  // null: it is
  // Where the new data are; null: the log stays.
  std::function<void(const AllStripes& all)> place_log = {};
  Former former = Former::kGoes;
};

// `load` has ended. Both functions are called with all stripes held, each once at most. The former
// dataset is freed with none held. Whatever is returned but kDone: nothing has changed.
Installed install_dataset(Engine& engine, DatasetLoad& load, const DatasetInstall& how);

}  // namespace tandem
