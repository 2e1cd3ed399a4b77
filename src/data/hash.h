// The value of a hash key: a listpack of field, value, field, value while it is small, else a hash
// table with one allocation for a field and its value ("listpack", "hashtable"; thresholds and
// conversions as in Redis 7.2).
//
// Invariants: no field twice; the encoding never goes back. Not thread safe. Elements and views are
// valid until the hash changes; arguments must not view into the hash.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/random.h"
#include "base/result.h"
#include "data/element.h"
#include "data/element_walk.h"
#include "data/listpack.h"

namespace tandem {

class Hash {
 public:
  Hash();
  ~Hash();
  Hash(Hash&& other) noexcept;
  Hash& operator=(Hash&& other) noexcept;

  // From RDB's compact form, converted on if over the limits. kInvalid: not well formed, or a field
  // twice.
  static Result<Hash> from_listpack(Bytes blob, const EncodingLimits& limits);

  size_t size() const;  // fields
  bool empty() const { return size() == 0; }
  Hash copy() const;  // in the same form
  Bytes encoding_name() const;
  size_t memory_bytes() const;

  // Before adding `expected` fields: goes to a hash table at once if that many do not fit.
  void reserve(size_t expected, const EncodingLimits& limits);
  bool set(Bytes field, Bytes value, const EncodingLimits& limits);  // true: the field is new
  std::optional<Element> get(Bytes field) const;
  bool contains(Bytes field) const { return get(field).has_value(); }
  bool remove(Bytes field);  // false: was not there

  struct Pair {
    Element field;
    Element value;
  };
  Pair random_pair(Random& random) const;  // the hash is not empty
  // Visits `count` different fields by chance, all equally likely; REQUIRES: count <= size().
  // Returns how many it looked at: for few fields of a large hash about `count`, and never more
  // than about size().
  size_t sample(size_t count, Random& random,
                FunctionRef<void(Bytes field, Bytes value)> visit) const;

  // Ends early when visit returns false.
  void for_each(FunctionRef<bool(Bytes field, Bytes value)> visit) const;
  // One step of HSCAN: visits some fields and returns the next cursor, 0 at the end. The listpack
  // is visited whole. Fields that stay for a whole scan are visited at least once.
  uint64_t scan(uint64_t cursor, FunctionRef<void(Bytes field, Bytes value)> visit) const;

  // A hash that is large is walked in steps, by one walk at a time (data/element_walk.h). Nothing:
  // it is not large.
  std::unique_ptr<ElementWalk> walk(std::function<void(Bytes field, Bytes value)> visit) const;
  bool is_walked() const;

  // While in that form, which RDB carries; else nothing.
  std::optional<ListpackView> listpack() const;

  // A small hash may keep its listpack in memory that belongs to somebody else, at a fixed distance
  // behind the hash itself: so a key and its small hash are one allocation (keyspace/entry.h).
  // Whatever makes the listpack longer or shorter takes it out of there.
  static constexpr size_t kLentBytesMax = 256;
  // How many bytes it would take there; 0: it is not to lie there, being no short listpack.
  size_t bytes_to_lend() const;
  bool is_lent() const { return tag() == kLent; }
  // The same hash with its listpack at `place`, behind this hash, which is a new one. `other` is
  // empty then. REQUIRES: so many bytes there, and at least one.
  void move_in(Hash& other, char* place);

 private:
  struct Fields;   // the hash table
  class PackEdit;  // the listpack while it is changed

  // One word: nothing, an empty listpack; or an address or a distance, with what it is of in the
  // lowest bits.
  static constexpr uintptr_t kOwn = 0;    // the address of a listpack's bytes, from malloc
  static constexpr uintptr_t kTable = 1;  // the address of Fields
  static constexpr uintptr_t kLent = 2;   // the distance to a listpack's bytes, above these bits
  static constexpr uintptr_t kTagMask = 3;
  uintptr_t tag() const { return word_ & kTagMask; }
  bool is_packed() const { return tag() != kTable; }
  // REQUIRES: that form.
  ListpackView entries() const;
  Fields& fields() const;

  std::unique_ptr<Fields> as_hash_table(uint64_t seed) const;
  Fields& become_hash_table(const EncodingLimits& limits);
  void let_go();

  uintptr_t word_ = 0;
};

}  // namespace tandem
