// What a change leaves behind: effects for replicas, and events for whoever hears of keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "base/bytes.h"

namespace tandem {

// What a command did, as data: the commands that a replica must execute to do the same. The handler
// states them while it works (SPOP states the SREM that it was); the engine appends them to the log
// as one record. Nothing repairs them afterwards.
//
// Confined to the thread that executes the command.
class Effects {
 public:
  // `wanted`: whether anything reads the log; if not, stating costs a branch.
  void begin(bool wanted) {
    wanted_ = wanted;
    kept_back_ = false;
    clear();
  }
  bool wanted() const { return wanted_ && !kept_back_; }
  // What commands state from here on is kept from replicas, or is not any more (redis.set_repl).
  void keep_back(bool on) { kept_back_ = on; }
  // Nothing is stated any more; keeps no more than kKeptBytesMax for the next time.
  void clear() {
    if (count_ == 0) return;
    count_ = 0;
    clear_and_keep(bytes_, kKeptBytesMax);
  }

  void add(int database, std::initializer_list<Bytes> command) {
    if (wanted()) append(database, {command.begin(), command.size()});
  }
  void add(int database, std::span<const Bytes> command) {
    if (wanted()) append(database, command);
  }
  // A command that is already encoded, as a client's own bytes are.
  void add_encoded(int database, Bytes request) {
    if (wanted()) append_encoded(database, request);
  }
  // What no command asked for, as the end of a key whose time is over: it is never kept back.
  void add_unasked(int database, std::initializer_list<Bytes> command) {
    if (wanted_) append(database, {command.begin(), command.size()});
  }
  size_t count() const { return count_; }

  // The record: one command as it is, several inside MULTI and EXEC, with SELECT wherever the
  // database changes on the way. It begins in first_database() and ends there. Empty when nothing
  // happened. Valid until begin() or clear().
  Bytes record();
  int first_database() const { return first_database_; }

 private:
  static constexpr size_t kKeptBytesMax = 64 * 1024;

  void append(int database, std::span<const Bytes> command);
  void append_encoded(int database, Bytes request);
  void enter(int database);

  bool wanted_ = false;
  bool kept_back_ = false;
  size_t count_ = 0;
  int first_database_ = 0;
  int database_ = 0;
  std::string bytes_;
};

// What replicas must execute to do what a change did: words, a request as it came, or nothing.
// However many changes it is handed to (RENAME changes two keys), it is stated once. A view of what
// the caller keeps; a list of words serves as an argument only, not for a variable.
class Effect {
 public:
  // In the database of the view through which the change is made.
  Effect(std::initializer_list<Bytes> words) : words_(words.begin(), words.size()) {}
  explicit Effect(std::span<const Bytes> words) : words_(words) {}
  // The command itself: its encoded request if there is one (not empty), else its words.
  Effect(int database, Bytes request, std::span<const Bytes> words)
      : words_(words), request_(request), database_(database) {}
  // For a change that replicas learn otherwise: it is stated already, or theirs to make.
  static Effect none() {
    Effect effect(std::span<const Bytes>{});
    effect.stated_ = true;
    return effect;
  }

  void state(Effects& effects, int database) const {
    if (stated_) return;
    stated_ = true;
    if (database_ >= 0) database = database_;
    request_.empty() ? effects.add(database, words_) : effects.add_encoded(database, request_);
  }

 private:
  std::span<const Bytes> words_;
  Bytes request_;
  int database_ = -1;
  mutable bool stated_ = false;
};

// "SELECT n" as the log carries it.
std::string select_command(int database);

// What can happen to a key, by the names under which keyspace notifications tell it. Whoever
// changes a key says which of these it was (keyspace/view.h).

// The classes of notify-keyspace-events, each with its letter there.
enum class KeyEventClass : char {
  kUntold = 0,  // in none of them
  kGeneric = 'g',
  kString = '$',
  kList = 'l',
  kSet = 's',
  kHash = 'h',
  kSortedSet = 'z',
  kStream = 't',
  kExpired = 'x',
  kEvicted = 'e',
  kKeyMiss = 'm',
  kNew = 'n',
};

// One of those below, which live as long as the program: passed by reference and comparable by
// address.
struct KeyEvent {
  KeyEventClass event_class;
  Bytes name;

  constexpr KeyEvent(KeyEventClass of, Bytes called) : event_class(of), name(called) {}
  KeyEvent(const KeyEvent&) = delete;
  KeyEvent& operator=(const KeyEvent&) = delete;
};

namespace event {

// A change of which nobody is told but who watches the key.
inline constexpr KeyEvent kUntold{KeyEventClass::kUntold, ""};

inline constexpr KeyEvent kDel{KeyEventClass::kGeneric, "del"};
inline constexpr KeyEvent kExpire{KeyEventClass::kGeneric, "expire"};
inline constexpr KeyEvent kPersist{KeyEventClass::kGeneric, "persist"};
inline constexpr KeyEvent kRenameFrom{KeyEventClass::kGeneric, "rename_from"};
inline constexpr KeyEvent kRenameTo{KeyEventClass::kGeneric, "rename_to"};
inline constexpr KeyEvent kMoveFrom{KeyEventClass::kGeneric, "move_from"};
inline constexpr KeyEvent kMoveTo{KeyEventClass::kGeneric, "move_to"};
inline constexpr KeyEvent kCopyTo{KeyEventClass::kGeneric, "copy_to"};
inline constexpr KeyEvent kRestore{KeyEventClass::kGeneric, "restore"};
inline constexpr KeyEvent kExpired{KeyEventClass::kExpired, "expired"};
inline constexpr KeyEvent kEvicted{KeyEventClass::kEvicted, "evicted"};
// Told beside others: a read that found nothing, and a key that was not there before, ahead of what
// made it.
inline constexpr KeyEvent kKeyMiss{KeyEventClass::kKeyMiss, "keymiss"};
inline constexpr KeyEvent kNew{KeyEventClass::kNew, "new"};

inline constexpr KeyEvent kSet{KeyEventClass::kString, "set"};
inline constexpr KeyEvent kAppend{KeyEventClass::kString, "append"};
inline constexpr KeyEvent kSetRange{KeyEventClass::kString, "setrange"};
inline constexpr KeyEvent kIncrBy{KeyEventClass::kString, "incrby"};
inline constexpr KeyEvent kIncrByFloat{KeyEventClass::kString, "incrbyfloat"};
inline constexpr KeyEvent kSetBit{KeyEventClass::kString, "setbit"};
inline constexpr KeyEvent kPfAdd{KeyEventClass::kString, "pfadd"};

inline constexpr KeyEvent kLPush{KeyEventClass::kList, "lpush"};
inline constexpr KeyEvent kRPush{KeyEventClass::kList, "rpush"};
inline constexpr KeyEvent kLPop{KeyEventClass::kList, "lpop"};
inline constexpr KeyEvent kRPop{KeyEventClass::kList, "rpop"};
inline constexpr KeyEvent kLSet{KeyEventClass::kList, "lset"};
inline constexpr KeyEvent kLInsert{KeyEventClass::kList, "linsert"};
inline constexpr KeyEvent kLRem{KeyEventClass::kList, "lrem"};
inline constexpr KeyEvent kLTrim{KeyEventClass::kList, "ltrim"};
inline constexpr KeyEvent kSortStore{KeyEventClass::kList, "sortstore"};

inline constexpr KeyEvent kSAdd{KeyEventClass::kSet, "sadd"};
inline constexpr KeyEvent kSRem{KeyEventClass::kSet, "srem"};
inline constexpr KeyEvent kSPop{KeyEventClass::kSet, "spop"};
inline constexpr KeyEvent kSInterStore{KeyEventClass::kSet, "sinterstore"};
inline constexpr KeyEvent kSUnionStore{KeyEventClass::kSet, "sunionstore"};
inline constexpr KeyEvent kSDiffStore{KeyEventClass::kSet, "sdiffstore"};

inline constexpr KeyEvent kHSet{KeyEventClass::kHash, "hset"};
inline constexpr KeyEvent kHDel{KeyEventClass::kHash, "hdel"};
inline constexpr KeyEvent kHIncrBy{KeyEventClass::kHash, "hincrby"};
inline constexpr KeyEvent kHIncrByFloat{KeyEventClass::kHash, "hincrbyfloat"};

inline constexpr KeyEvent kZAdd{KeyEventClass::kSortedSet, "zadd"};
inline constexpr KeyEvent kZIncr{KeyEventClass::kSortedSet, "zincr"};
inline constexpr KeyEvent kZRem{KeyEventClass::kSortedSet, "zrem"};
inline constexpr KeyEvent kZPopMin{KeyEventClass::kSortedSet, "zpopmin"};
inline constexpr KeyEvent kZPopMax{KeyEventClass::kSortedSet, "zpopmax"};
inline constexpr KeyEvent kZRangeStore{KeyEventClass::kSortedSet, "zrangestore"};
inline constexpr KeyEvent kGeoRadiusStore{KeyEventClass::kSortedSet, "georadiusstore"};
inline constexpr KeyEvent kGeoSearchStore{KeyEventClass::kSortedSet, "geosearchstore"};
inline constexpr KeyEvent kZInterStore{KeyEventClass::kSortedSet, "zinterstore"};
inline constexpr KeyEvent kZUnionStore{KeyEventClass::kSortedSet, "zunionstore"};
inline constexpr KeyEvent kZDiffStore{KeyEventClass::kSortedSet, "zdiffstore"};
inline constexpr KeyEvent kZRemRangeByRank{KeyEventClass::kSortedSet, "zremrangebyrank"};
inline constexpr KeyEvent kZRemRangeByScore{KeyEventClass::kSortedSet, "zremrangebyscore"};
inline constexpr KeyEvent kZRemRangeByLex{KeyEventClass::kSortedSet, "zremrangebylex"};

inline constexpr KeyEvent kXAdd{KeyEventClass::kStream, "xadd"};
inline constexpr KeyEvent kXTrim{KeyEventClass::kStream, "xtrim"};
inline constexpr KeyEvent kXDel{KeyEventClass::kStream, "xdel"};
inline constexpr KeyEvent kXSetId{KeyEventClass::kStream, "xsetid"};
inline constexpr KeyEvent kXGroupCreate{KeyEventClass::kStream, "xgroup-create"};
inline constexpr KeyEvent kXGroupSetId{KeyEventClass::kStream, "xgroup-setid"};
inline constexpr KeyEvent kXGroupDestroy{KeyEventClass::kStream, "xgroup-destroy"};
inline constexpr KeyEvent kXGroupCreateConsumer{KeyEventClass::kStream, "xgroup-createconsumer"};
inline constexpr KeyEvent kXGroupDelConsumer{KeyEventClass::kStream, "xgroup-delconsumer"};

}  // namespace event

}  // namespace tandem
