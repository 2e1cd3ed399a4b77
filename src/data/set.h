// The value of a set key: an intset while all members are integers, a listpack while it is small,
// else a hash table with one allocation a member ("intset", "listpack", "hashtable"; thresholds and
// conversions as in Redis 7.2).
//
// Invariants: no member twice; the encoding only ever goes intset -> listpack -> hashtable, except
// by become_intset_if_possible. Not thread safe. Elements and views are valid until the set
// changes; arguments must not view into the set.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/random.h"
#include "base/result.h"
#include "data/element.h"
#include "data/element_walk.h"
#include "data/intset.h"
#include "data/listpack.h"

namespace tandem {

class Set {
 public:
  Set();  // empty, an intset
  // Empty, in the form that fits a first member and how many are expected to follow (SADD's
  // argument count).
  Set(Bytes first_member, size_t expected, const EncodingLimits& limits);
  ~Set();
  Set(Set&& other) noexcept;
  Set& operator=(Set&& other) noexcept;

  // From RDB's compact forms, converted on if they are over the limits. kInvalid: not well formed,
  // or a member twice.
  static Result<Set> from_intset(Bytes blob, const EncodingLimits& limits);
  static Result<Set> from_listpack(Bytes blob, const EncodingLimits& limits);

  size_t size() const;
  bool empty() const { return size() == 0; }
  Set copy() const;  // in the same form
  Bytes encoding_name() const;
  size_t memory_bytes() const;

  // Before adding `expected` members: goes to a hash table at once if that many do not fit.
  void reserve(size_t expected, const EncodingLimits& limits);
  bool add(Bytes member, const EncodingLimits& limits);  // false: was there
  bool remove(Bytes member);                             // false: was not there
  bool contains(Bytes member) const;
  // For results of set operations: back to an intset if all members are integers and few enough.
  void become_intset_if_possible(const EncodingLimits& limits);

  Element random_member(Random& random) const;  // the set is not empty
  // Visits `count` different members by chance, all equally likely; REQUIRES: count <= size().
  // Returns how many members it looked at for that. For few members of a large set that is about
  // `count`, however large the set is; it is never more than about size().
  size_t sample(size_t count, Random& random, FunctionRef<void(Bytes)> visit) const;

  // Ends early when visit returns false.
  void for_each(FunctionRef<bool(Bytes)> visit) const;
  // One step of SSCAN: visits some members and returns the next cursor, 0 at the end. The compact
  // forms are visited whole. Members that stay for a whole scan are visited at least once.
  uint64_t scan(uint64_t cursor, FunctionRef<void(Bytes)> visit) const;

  // A set that is large is walked in steps, by one walk at a time (data/element_walk.h). Nothing:
  // it is not large.
  std::unique_ptr<ElementWalk> walk(std::function<void(Bytes)> visit) const;
  bool is_walked() const;

  // The blob for RDB while in that form, else nullptr.
  const Intset* intset() const { return std::get_if<Intset>(&form_); }
  const Listpack* listpack() const { return std::get_if<Listpack>(&form_); }

 private:
  struct Members;  // the hash table

  std::unique_ptr<Members> as_hash_table(uint64_t seed) const;
  Members& become_hash_table(const EncodingLimits& limits);
  bool add_to_intset(Bytes member, const EncodingLimits& limits);
  bool add_to_listpack(Bytes member, const EncodingLimits& limits);

  std::variant<Intset, Listpack, std::unique_ptr<Members>> form_;
};

}  // namespace tandem
