// HashTable: linear hashing over buckets of one cache line. It grows and shrinks one bucket at a
// time, so no operation ever pays for a rehash, whatever the size.
//
// A bucket has seven slots, each with a one-byte fingerprint; an eighth entry opens an overflow
// bucket behind it (rare: the table splits at five entries a bucket on average). A slot is a 48-bit
// pointer with 16 spare bits: the low 15 bits of the hash, so that splits up to 32,768 buckets
// never touch the entries, and one flag that belongs to the owner (the keyspace marks entries that
// expire).
//
// Invariants:
//   1. The entry with hash h lives in the chain of bucket index_of(h), computed with the current
//      bucket count.
//   2. A chain is packed: only its last bucket has free slots, and they are the highest ones.
//   3. Fingerprint 0 marks a slot that holds no entry. In a bucket with overflow the last slot is
//      the link.
//   4. SCAN: an entry present during a whole scan is returned at least once, however the table
//      grows and shrinks.
//
// The owner allocates and frees entries; the table only holds pointers. Not thread safe. Litwin,
// "Linear hashing", 1980.
//
// Traits (an object, so that it can carry the seed of the hash):
//   using Entry; using Key;
//   uint64_t hash(const Entry&) const;
//   bool equals(const Entry&, const Key&) const;
// Hook: told before the chain of a home bucket changes for any reason, splits and merges included:
//   void before_change(TableBucket& home);
//   uint8_t birth_epoch() const;     // of buckets born in an empty table
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/random.h"

namespace tandem {

struct alignas(64) TableBucket {
  static constexpr int kSlots = 7;
  static constexpr uint8_t kOverflow = 0x80;  // in `meta`: the last slot links to another bucket
  static constexpr uint8_t kEpochMask =
      0x7f;  // in `meta`: the owner's snapshot epoch, of home buckets

  uint8_t fingerprints[kSlots];
  uint8_t meta;
  uint64_t slots[kSlots];

  uint8_t epoch() const { return meta & kEpochMask; }
  void set_epoch(uint8_t epoch) {
    meta = static_cast<uint8_t>((meta & kOverflow) | (epoch & kEpochMask));
  }
  bool has_overflow() const { return (meta & kOverflow) != 0; }
  TableBucket* overflow() const {
    return has_overflow() ? reinterpret_cast<TableBucket*>(slots[kSlots - 1]) : nullptr;
  }
};
static_assert(sizeof(TableBucket) == 64);

// For tables that nobody snapshots bucket by bucket.
struct NoTableHook {
  void before_change(TableBucket&) {}
  uint8_t birth_epoch() const { return 0; }
};

template <class Traits>
class HashTable {
 public:
  using Entry = typename Traits::Entry;
  using Key = typename Traits::Key;
  using Bucket = TableBucket;

  // Where an entry sits; valid until the table changes.
  struct Slot {
    Bucket* home = nullptr;
    Bucket* bucket = nullptr;
    int index = 0;
    explicit operator bool() const { return bucket != nullptr; }
  };

  HashTable() = default;
  HashTable(HashTable&& other) noexcept { swap(other); }
  HashTable& operator=(HashTable&& other) noexcept {
    HashTable moved(std::move(other));
    swap(moved);
    return *this;
  }
  // The entries must have been taken out (clear) or be owned elsewhere.
  ~HashTable() { free_buckets(); }

  uint32_t size() const { return size_; }
  uint32_t flagged() const { return flagged_; }
  uint32_t bucket_count() const { return bucket_count_; }
  Bucket& bucket_at(uint32_t index) const { return *bucket_pointer(index); }
  Bucket* home_bucket(uint64_t hash) const {
    return bucket_count_ == 0 ? nullptr : bucket_pointer(index_of(hash));
  }
  // A lookup follows a chain of four pointers, each a likely cache miss: the table itself, its
  // directory, the bucket, the entry. Whoever has many lookups to do takes each step for all of
  // them before the next.
  static constexpr int kLookupSteps = 4;
  void prefetch_step(int step, uint64_t hash) const {
    switch (step) {
      case 0:
        return __builtin_prefetch(this);  // only its address counts
      case 1:
        return __builtin_prefetch(chunks_);
      case 2:
        if (bucket_count_ != 0) __builtin_prefetch(bucket_pointer(index_of(hash)));
        return;
      default:
        return prefetch_entry(hash);
    }
  }

  // For whoever takes chain after chain: the entries of one that comes later, as far as a line or
  // two each.
  static void prefetch_chain(const Bucket& home);

  Slot find_slot(const Traits& traits, uint64_t hash, const Key& key) const;
  Entry* find(const Traits& traits, uint64_t hash, const Key& key) const {
    const Slot slot = find_slot(traits, hash, key);
    return slot ? entry_at(slot) : nullptr;
  }
  static Entry* entry_at(const Slot& slot) { return pointer(slot.bucket->slots[slot.index]); }

  // REQUIRES: no entry with this key is present.
  template <class Hook = NoTableHook>
  void insert(const Traits& traits, uint64_t hash, Entry* entry, bool flag = false,
              Hook&& hook = {});
  // Puts another entry with the same key into the slot. The hook is the caller's business here.
  void replace(const Slot& slot, Entry* entry, bool flag);
  // Takes the entry out and may merge a bucket; returns it for the owner to free.
  template <class Hook = NoTableHook>
  Entry* erase(const Traits& traits, const Slot& slot, Hook&& hook = {});

  // Visits the entries of one chain: fn(Entry*, bool flag).
  template <class Fn>
  static void for_each_in_chain(const Bucket& home, Fn&& fn);
  // Visits all entries; the table must not change meanwhile.
  template <class Fn>
  void for_each(Fn&& fn) const;
  // Visits the chain at `cursor` (start with 0) and returns the next cursor, 0 at the end. The
  // cursor is a position in the order of reversed hash bits, which splitting and merging only
  // refines or coarsens (Pieter Noordhuis's idea).
  template <class Fn>
  uint64_t scan(uint64_t cursor, Fn&& fn) const;
  // Whether a scan that stands at `cursor` has been where entries of this hash are.
  static bool scan_passed(uint64_t cursor, uint64_t hash) {
    return reverse_bits(hash) < reverse_bits(cursor);
  }
  // A random entry, close to uniform; null when empty.
  Entry* random_entry(Random& random) const;
  // Drops every entry through fn(Entry*) and frees the buckets.
  template <class Fn>
  void clear(Fn&& fn);

  // Bytes held by buckets and directory (entries not counted).
  size_t memory_bytes() const;

  void swap(HashTable& other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(size_, other.size_);
    std::swap(bucket_count_, other.bucket_count_);
    std::swap(flagged_, other.flagged_);
    std::swap(overflow_count_, other.overflow_count_);
  }

 private:
  void prefetch_entry(uint64_t hash) const {
    const Bucket* home = home_bucket(hash);
    if (home == nullptr) return;
    if (const uint64_t hits = matches(*home, fingerprint(hash)); hits != 0) {
      __builtin_prefetch(pointer(home->slots[std::countr_zero(hits) / 8]));
    }
  }
  static constexpr uint32_t kGrowAbove = 5;    // entries a bucket
  static constexpr uint32_t kShrinkBelow = 2;  // entries a bucket
  static constexpr int kTagBits = 15;
  static constexpr uint64_t kPointerMask = (uint64_t{1} << 48) - 1;
  static constexpr uint64_t kFlag = uint64_t{1} << 63;

  static Entry* pointer(uint64_t slot) { return reinterpret_cast<Entry*>(slot & kPointerMask); }
  static uint64_t make_slot(Entry* entry, uint64_t hash, bool flag) {
    return reinterpret_cast<uint64_t>(entry) | ((hash & 0x7fff) << 48) | (flag ? kFlag : 0);
  }
  static uint8_t fingerprint(uint64_t hash) {
    const auto byte = static_cast<uint8_t>(hash >> 56);
    return byte == 0 ? 1 : byte;
  }
  // One bit (0x80) in each of the seven fingerprint bytes equal to `wanted`; exact, no false hits.
  static uint64_t matches(const Bucket& bucket, uint8_t wanted) {
    uint64_t word;
    std::memcpy(&word, bucket.fingerprints, sizeof(word));
    constexpr uint64_t kLow7 = 0x7f7f7f7f7f7f7f7fULL;
    const uint64_t x = word ^ (0x0101010101010101ULL * wanted);
    const uint64_t zero = ~(((x & kLow7) + kLow7) | x | kLow7);
    return zero & 0x0080808080808080ULL;
  }
  static int free_slots_from(
      const Bucket& bucket) {  // index of the first free slot, kSlots if full
    if (bucket.has_overflow()) return Bucket::kSlots;
    int used = 0;
    while (used < Bucket::kSlots && bucket.fingerprints[used] != 0) ++used;
    return used;
  }

  uint32_t index_of(uint64_t hash) const {
    const uint64_t mask = (uint64_t{2} << (std::bit_width(bucket_count_) - 1)) - 1;
    const uint64_t index = hash & mask;
    return static_cast<uint32_t>(index < bucket_count_ ? index : hash & (mask >> 1));
  }

  // Chunks: buckets 0 to 3 are chunks of one; each later power of two is cut into four chunks. So a
  // table wastes at most a quarter of its last doubling, and the directory stays tiny.
  static std::pair<uint32_t, uint32_t> chunk_of(uint32_t index) {
    if (index < 4) return {index, 0};
    const int level = std::bit_width(index) - 1;  // >= 2
    const uint32_t sub = (index >> (level - 2)) & 3;
    const uint32_t within = index & ((uint32_t{1} << (level - 2)) - 1);
    return {4 + static_cast<uint32_t>(level - 2) * 4 + sub, within};
  }
  static size_t chunk_buckets(uint32_t chunk) {
    return chunk < 4 ? 1 : size_t{1} << ((chunk - 4) / 4);
  }
  Bucket* bucket_pointer(uint32_t index) const {
    const auto [chunk, within] = chunk_of(index);
    return chunks_[chunk] + within;
  }
  static Bucket* new_buckets(size_t count) {
    return static_cast<Bucket*>(::operator new(count * sizeof(Bucket), std::align_val_t{64}));
  }
  static void delete_buckets(Bucket* buckets) { ::operator delete(buckets, std::align_val_t{64}); }
  static void init_bucket(Bucket& bucket, uint8_t epoch) {
    std::memset(bucket.fingerprints, 0, sizeof(bucket.fingerprints));
    bucket.meta = epoch & Bucket::kEpochMask;
  }

  Bucket& add_bucket(uint8_t epoch);
  void drop_last_bucket();
  void put(Bucket& home, uint8_t print, uint64_t slot);
  void split(const Traits& traits, auto& hook);
  void merge(const Traits& traits, auto& hook);
  uint64_t slot_hash(const Traits& traits, uint64_t slot) const {
    return bucket_count_ <= (1u << (kTagBits - 1)) ? (slot >> 48) & 0x7fff
                                                   : traits.hash(*pointer(slot));
  }
  void free_chain(Bucket& home);
  void free_buckets();

  static uint64_t reverse_bits(uint64_t v) {
    v = ((v >> 1) & 0x5555555555555555ULL) | ((v & 0x5555555555555555ULL) << 1);
    v = ((v >> 2) & 0x3333333333333333ULL) | ((v & 0x3333333333333333ULL) << 2);
    v = ((v >> 4) & 0x0f0f0f0f0f0f0f0fULL) | ((v & 0x0f0f0f0f0f0f0f0fULL) << 4);
    return __builtin_bswap64(v);
  }

  Bucket** chunks_ = nullptr;
  uint32_t size_ = 0;
  uint32_t bucket_count_ = 0;
  uint32_t flagged_ = 0;
  uint32_t overflow_count_ = 0;
};

template <class Traits>
typename HashTable<Traits>::Slot HashTable<Traits>::find_slot(const Traits& traits, uint64_t hash,
                                                              const Key& key) const {
  Bucket* home = home_bucket(hash);
  const uint8_t print = fingerprint(hash);
  for (Bucket* bucket = home; bucket != nullptr; bucket = bucket->overflow()) {
    for (uint64_t hits = matches(*bucket, print); hits != 0; hits &= hits - 1) {
      const int index = std::countr_zero(hits) / 8;
      if (traits.equals(*pointer(bucket->slots[index]), key)) return Slot{home, bucket, index};
    }
  }
  return {};
}

template <class Traits>
template <class Hook>
void HashTable<Traits>::insert(const Traits& traits, uint64_t hash, Entry* entry, bool flag,
                               Hook&& hook) {
  if (bucket_count_ == 0) add_bucket(hook.birth_epoch());
  Bucket& home = *home_bucket(hash);
  hook.before_change(home);
  put(home, fingerprint(hash), make_slot(entry, hash, flag));
  ++size_;
  flagged_ += flag ? 1 : 0;
  if (size_ > uint64_t{bucket_count_} * kGrowAbove) split(traits, hook);
}

template <class Traits>
void HashTable<Traits>::replace(const Slot& slot, Entry* entry, bool flag) {
  uint64_t& word = slot.bucket->slots[slot.index];
  const bool had = (word & kFlag) != 0;
  flagged_ += (flag ? 1 : 0) - (had ? 1 : 0);
  word = (word & ~(kPointerMask | kFlag)) | reinterpret_cast<uint64_t>(entry) | (flag ? kFlag : 0);
}

template <class Traits>
template <class Hook>
typename HashTable<Traits>::Entry* HashTable<Traits>::erase(const Traits& traits, const Slot& slot,
                                                            Hook&& hook) {
  hook.before_change(*slot.home);
  const uint64_t word = slot.bucket->slots[slot.index];
  // Fill the hole from the end of the chain, and give back the last bucket once it is empty.
  Bucket* parent = nullptr;
  Bucket* last = slot.home;
  while (last->has_overflow()) {
    parent = last;
    last = last->overflow();
  }
  const int end = free_slots_from(*last) - 1;
  slot.bucket->slots[slot.index] = last->slots[end];
  slot.bucket->fingerprints[slot.index] = last->fingerprints[end];
  last->fingerprints[end] = 0;
  if (end == 0 && parent != nullptr) {
    parent->meta &= static_cast<uint8_t>(~Bucket::kOverflow);
    delete_buckets(last);
    --overflow_count_;
  }
  --size_;
  flagged_ -= (word & kFlag) != 0 ? 1 : 0;
  if (bucket_count_ > 1 && size_ < uint64_t{bucket_count_} * kShrinkBelow) merge(traits, hook);
  return pointer(word);
}

template <class Traits>
void HashTable<Traits>::put(Bucket& home, uint8_t print, uint64_t slot) {
  Bucket* last = &home;
  while (last->has_overflow()) last = last->overflow();
  int index = free_slots_from(*last);
  if (index == Bucket::kSlots) {
    Bucket* fresh = new_buckets(1);
    init_bucket(*fresh, 0);
    ++overflow_count_;
    constexpr int kLink = Bucket::kSlots - 1;
    fresh->slots[0] = last->slots[kLink];
    fresh->fingerprints[0] = last->fingerprints[kLink];
    last->slots[kLink] = reinterpret_cast<uint64_t>(fresh);
    last->fingerprints[kLink] = 0;
    last->meta |= Bucket::kOverflow;
    last = fresh;
    index = 1;
  }
  last->slots[index] = slot;
  last->fingerprints[index] = print;
}

template <class Traits>
TableBucket& HashTable<Traits>::add_bucket(uint8_t epoch) {
  const auto [chunk, within] = chunk_of(bucket_count_);
  if (within == 0) {
    if (chunk % 4 == 0) {
      chunks_ = static_cast<Bucket**>(std::realloc(chunks_, (chunk + 4) * sizeof(Bucket*)));
      CHECK(chunks_ != nullptr, "out of memory");
    }
    chunks_[chunk] = new_buckets(chunk_buckets(chunk));
  }
  Bucket& fresh = chunks_[chunk][within];
  init_bucket(fresh, epoch);
  ++bucket_count_;
  return fresh;
}

template <class Traits>
void HashTable<Traits>::drop_last_bucket() {
  --bucket_count_;
  const auto [chunk, within] = chunk_of(bucket_count_);
  if (within == 0) delete_buckets(chunks_[chunk]);
}

// The bucket whose turn it is gives the entries with the next hash bit set to a new last bucket.
template <class Traits>
void HashTable<Traits>::split(const Traits& traits, auto& hook) {
  const uint32_t level_size = uint32_t{1} << (std::bit_width(bucket_count_) - 1);
  Bucket& source = *bucket_pointer(bucket_count_ - level_size);
  hook.before_change(source);
  Bucket old = source;
  Bucket& target = add_bucket(source.epoch());
  init_bucket(source, source.epoch());
  Bucket* bucket = &old;
  while (bucket != nullptr) {
    Bucket* next = bucket->overflow();
    const int used = next != nullptr ? Bucket::kSlots - 1 : free_slots_from(*bucket);
    for (int i = 0; i < used; ++i) {
      const bool moves = (slot_hash(traits, bucket->slots[i]) & level_size) != 0;
      put(moves ? target : source, bucket->fingerprints[i], bucket->slots[i]);
    }
    if (bucket != &old) {
      delete_buckets(bucket);
      --overflow_count_;
    }
    bucket = next;
  }
}

// The last bucket goes back into the one that it was split from.
template <class Traits>
void HashTable<Traits>::merge(const Traits&, auto& hook) {
  const uint32_t last_index = bucket_count_ - 1;
  const uint32_t level_size = uint32_t{1} << (std::bit_width(last_index) - 1);
  Bucket& last = *bucket_pointer(last_index);
  Bucket& target = *bucket_pointer(last_index - level_size);
  hook.before_change(last);
  hook.before_change(target);
  for (Bucket* bucket = &last; bucket != nullptr; bucket = bucket->overflow()) {
    const int used = bucket->has_overflow() ? Bucket::kSlots - 1 : free_slots_from(*bucket);
    for (int i = 0; i < used; ++i) put(target, bucket->fingerprints[i], bucket->slots[i]);
  }
  free_chain(last);
  drop_last_bucket();
}

template <class Traits>
void HashTable<Traits>::free_chain(Bucket& home) {
  Bucket* bucket = home.overflow();
  while (bucket != nullptr) {
    Bucket* next = bucket->overflow();
    delete_buckets(bucket);
    --overflow_count_;
    bucket = next;
  }
}

template <class Traits>
void HashTable<Traits>::free_buckets() {
  if (chunks_ == nullptr) return;  // most partitions of a small database
  for (uint32_t i = 0; i < bucket_count_; ++i) free_chain(*bucket_pointer(i));
  while (bucket_count_ > 0) drop_last_bucket();
  std::free(chunks_);
  chunks_ = nullptr;
}

template <class Traits>
template <class Fn>
void HashTable<Traits>::for_each_in_chain(const Bucket& home, Fn&& fn) {
  for (const Bucket* bucket = &home; bucket != nullptr; bucket = bucket->overflow()) {
    const int used = bucket->has_overflow() ? Bucket::kSlots - 1 : free_slots_from(*bucket);
    for (int i = 0; i < used; ++i) fn(pointer(bucket->slots[i]), (bucket->slots[i] & kFlag) != 0);
  }
}

template <class Traits>
void HashTable<Traits>::prefetch_chain(const Bucket& home) {
  constexpr size_t kLineBytes = 64;
  const int used = home.has_overflow() ? Bucket::kSlots - 1 : free_slots_from(home);
  for (int i = 0; i < used; ++i) {
    const auto* entry = reinterpret_cast<const char*>(pointer(home.slots[i]));
    __builtin_prefetch(entry);
    __builtin_prefetch(entry + kLineBytes);
  }
  if (home.has_overflow()) __builtin_prefetch(home.overflow());
}

template <class Traits>
template <class Fn>
void HashTable<Traits>::for_each(Fn&& fn) const {
  for (uint32_t i = 0; i < bucket_count_; ++i) {
    for_each_in_chain(*bucket_pointer(i), [&](Entry* entry, bool) { fn(entry); });
  }
}

template <class Traits>
template <class Fn>
uint64_t HashTable<Traits>::scan(uint64_t cursor, Fn&& fn) const {
  if (bucket_count_ == 0) return 0;
  const uint32_t index = index_of(cursor);
  for_each_in_chain(*bucket_pointer(index), fn);
  // The bucket covers every hash that ends in these bits: step over that whole range of reversed
  // hashes.
  const uint32_t level_size = uint32_t{1} << (std::bit_width(bucket_count_) - 1);
  const bool was_split = index >= level_size || index + level_size < bucket_count_;
  const uint64_t bits = (was_split ? uint64_t{level_size} * 2 : level_size) - 1;
  uint64_t next = cursor | ~bits;
  next = reverse_bits(reverse_bits(next) + 1);
  return next;
}

template <class Traits>
typename HashTable<Traits>::Entry* HashTable<Traits>::random_entry(Random& random) const {
  if (size_ == 0) return nullptr;
  // Rejection sampling over (bucket, place) keeps it uniform as long as chains hold at most 14
  // entries.
  for (;;) {
    const Bucket& home = *bucket_pointer(static_cast<uint32_t>(random.below(bucket_count_)));
    int wanted = static_cast<int>(random.below(2 * Bucket::kSlots));
    Entry* found = nullptr;
    for_each_in_chain(home, [&](Entry* entry, bool) {
      if (wanted-- == 0) found = entry;
    });
    if (found != nullptr) return found;
  }
}

template <class Traits>
template <class Fn>
void HashTable<Traits>::clear(Fn&& fn) {
  for_each(fn);
  free_buckets();
  size_ = 0;
  flagged_ = 0;
}

template <class Traits>
size_t HashTable<Traits>::memory_bytes() const {
  size_t bytes = size_t{overflow_count_} * sizeof(Bucket);
  if (bucket_count_ == 0) return bytes;
  const uint32_t chunks = chunk_of(bucket_count_ - 1).first + 1;
  for (uint32_t i = 0; i < chunks; ++i) bytes += chunk_buckets(i) * sizeof(Bucket);
  return bytes + (chunks + 3) / 4 * 4 * sizeof(Bucket*);
}

// The order in which SCAN goes through a hash table, for walks (data/element_walk.h): by the
// reversed bits of the hash, which growing and shrinking only cut finer or coarser. So the place of
// an element depends on its name alone.

// Names::of(const Entry&) gives the entry's name. The table and its traits outlive the order.
template <class Traits, class Names>
class TableOrder {
 public:
  using Element = typename Traits::Entry;
  using Table = HashTable<Traits>;

  TableOrder(const Traits& traits, const Table& table) : traits_(traits), table_(table) {}

  template <class Fn>
  bool next(Fn&& fn) {
    // After a merge the chain also has elements of places that were passed before it.
    const uint64_t next = table_.scan(cursor_, [&](const Element* element, bool) {
      if (!passed(*element)) fn(*element);
    });
    cursor_ = next;
    return next != 0;
  }
  bool passed(const Element& element) const {
    return Table::scan_passed(cursor_, traits_.hash(element));
  }
  bool may_meet(Bytes name) const { return !Table::scan_passed(cursor_, traits_.hash_of(name)); }
  static Bytes name(const Element& element) { return Names::of(element); }

 private:
  const Traits& traits_;
  const Table& table_;
  uint64_t cursor_ = 0;
};

}  // namespace tandem
