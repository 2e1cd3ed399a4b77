// What can happen to a key, by the names under which keyspace notifications tell it. Whoever
// changes a key says which of these it was (keyspace/view.h).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tandem {

// The classes of notify-keyspace-events, each with its letter there.
enum class KeyEventClass : char {
  kGeneric = 'g',
  kString = '$',
  kList = 'l',
  kSet = 's',
  kHash = 'h',
  kSortedSet = 'z',
  kStream = 't',
  kExpired = 'x',
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

inline constexpr KeyEvent kSet{KeyEventClass::kString, "set"};
inline constexpr KeyEvent kAppend{KeyEventClass::kString, "append"};
inline constexpr KeyEvent kSetRange{KeyEventClass::kString, "setrange"};
inline constexpr KeyEvent kIncrBy{KeyEventClass::kString, "incrby"};
inline constexpr KeyEvent kIncrByFloat{KeyEventClass::kString, "incrbyfloat"};

inline constexpr KeyEvent kLPush{KeyEventClass::kList, "lpush"};
inline constexpr KeyEvent kRPush{KeyEventClass::kList, "rpush"};
inline constexpr KeyEvent kLPop{KeyEventClass::kList, "lpop"};
inline constexpr KeyEvent kRPop{KeyEventClass::kList, "rpop"};
inline constexpr KeyEvent kLSet{KeyEventClass::kList, "lset"};
inline constexpr KeyEvent kLInsert{KeyEventClass::kList, "linsert"};
inline constexpr KeyEvent kLRem{KeyEventClass::kList, "lrem"};
inline constexpr KeyEvent kLTrim{KeyEventClass::kList, "ltrim"};

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
inline constexpr KeyEvent kZRemRangeByRank{KeyEventClass::kSortedSet, "zremrangebyrank"};
inline constexpr KeyEvent kZRemRangeByScore{KeyEventClass::kSortedSet, "zremrangebyscore"};
inline constexpr KeyEvent kZRemRangeByLex{KeyEventClass::kSortedSet, "zremrangebylex"};

inline constexpr KeyEvent kXAdd{KeyEventClass::kStream, "xadd"};
inline constexpr KeyEvent kXTrim{KeyEventClass::kStream, "xtrim"};
inline constexpr KeyEvent kXDel{KeyEventClass::kStream, "xdel"};

}  // namespace event
}  // namespace tandem
