// One key with its value, in one allocation:
//
//   header (8 bytes): type, form, sizes, and 24 bits that tell how the key was used
//                     (keyspace/use.h)
//   | expiry (8, only with kHasExpiry)
//   | payload (8, not for inline strings)
//   | key
//   | inline string, or the listpack of a small hash
//
// The payload is an integer, or a pointer to a growing string or a container, or a hash itself,
// which is one word. So a 16-byte key with an 8-byte value takes 32 bytes, and one with a small
// hash some 16 more than the hash's fields. Entries are made, changed and freed only under their
// stripe's lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "base/number.h"
#include "keyspace/use.h"
#include "keyspace/value.h"

namespace tandem {

inline constexpr int64_t kNoExpiry = -1;  // milliseconds since 1970 otherwise

// The bytes of a growing string, which a snapshot may share: they are changed in place only while
// the entry is their one owner.
struct GrowingString {
  size_t size;
  size_t capacity;
  std::atomic<uint32_t> owners;
  char data[];

  static GrowingString* make(size_t size, size_t capacity);
  static void release(GrowingString* string);
};

// A large string as it was when it was shared, on any thread, whatever becomes of its key.
class SharedText {
 public:
  explicit SharedText(GrowingString* owned) : string_(owned) {}
  SharedText(SharedText&& other) noexcept : string_(std::exchange(other.string_, nullptr)) {}
  SharedText& operator=(SharedText&&) = delete;
  ~SharedText() {
    if (string_ != nullptr) GrowingString::release(string_);
  }
  Bytes text() const { return {string_->data, string_->size}; }

 private:
  GrowingString* string_;
};

// Containers that lie in the entry, in the payload's place. The others are allocated by themselves.
template <class T>
inline constexpr bool kLiesInEntry = std::is_same_v<T, Hash>;

class Entry {
 public:
  // Longer strings live in an allocation of their own, with room to grow.
  static constexpr size_t kInlineMax = 512;

  // Copies; integers become integers, short strings inline.
  static Entry* make_string(Bytes key, Bytes text, int64_t expiry_ms);
  // As a text even if it reads as an integer.
  static Entry* make_text(Bytes key, Bytes text, int64_t expiry_ms);
  static Entry* make_growing(Bytes key, Bytes text, int64_t expiry_ms);
  static Entry* make(Bytes key, Value value, int64_t expiry_ms);
  // Frees the entry and its value.
  static void destroy(Entry* entry);
  // A container of many allocations.
  bool is_long_to_free() const;

  Bytes key() const { return {bytes() + key_offset(), key_size()}; }
  ValueType type() const { return type_; }
  // How the key was used (keyspace/use.h); 0 in a new entry, until its view says more.
  uint32_t use() const { return use_; }
  void set_use(uint32_t use) { use_ = use & kUseMask; }
  bool has_expiry() const { return has_expiry_; }
  int64_t expiry_ms() const { return has_expiry() ? load(sizeof(Entry)) : kNoExpiry; }
  bool expired_at(int64_t now_ms) const { return has_expiry() && now_ms > load(sizeof(Entry)); }

  // Strings. The text of an integer is written into `digits`, which must outlive the view.
  bool is_integer() const { return form_ == Form::kInteger; }
  int64_t integer() const { return load(payload_offset()); }
  Bytes text(char (&digits)[kInt64TextMax]) const;
  size_t text_size() const;
  StringForm string_form() const;
  // "int", "embstr" or "raw" for strings; containers name their own.
  Bytes encoding_name() const;

  // REQUIRES: type() is T's.
  template <class T>
  T& as() {
    void* at = kLiesInEntry<T> ? bytes() + payload_offset() : pointer();
    return *static_cast<T*>(at);
  }
  template <class T>
  const T& as() const {
    return const_cast<Entry*>(this)->as<T>();
  }
  // Tells a container that is more than one allocation from all others, in whichever entry or
  // Value it is.
  const void* container_id() const { return pointer(); }

  // REQUIRES: a string of more than kInlineMax bytes.
  SharedText share_text() const;
  // The value for encoders; `digits` as above.
  ValueRef ref(char (&digits)[kInt64TextMax]) const;

  // For whoever takes entry after entry, so that the cache misses overlap: bring nearer to the
  // processor what the entry points to, and then, if it is compact, what that points to.
  void prefetch_payload() const {
    const bool is_elsewhere =
        form_ == Form::kGrowing || (form_ == Form::kContainer && type_ != ValueType::kHash);
    if (is_elsewhere) __builtin_prefetch(pointer());
  }
  void prefetch_content() const;

  // A set, hash or sorted set that a snapshot walks at the moment (data/element_walk.h).
  bool is_walked() const;

  // Changes of a string in place. Each returns the entry to put into the table's slot: this one, or
  // a new one in its stead (then this one is gone).
  [[nodiscard]] Entry* set_text(Bytes text);
  [[nodiscard]] Entry* set_plain_text(Bytes text);
  [[nodiscard]] Entry* set_integer(int64_t value);
  // Makes the string `size` bytes long, zero filled, as growing storage, and points `data` at it.
  [[nodiscard]] Entry* resize_text(size_t size, char*& data);
  // kNoExpiry removes it.
  [[nodiscard]] Entry* set_expiry(int64_t expiry_ms);
  // After a change of its container: a small hash whose listpack has an allocation of its own takes
  // it in again.
  [[nodiscard]] Entry* take_in();
  // Takes the value out for another key; the entry stays as an empty string to be destroyed.
  Value take_value();

  // Bytes of the entry and all it owns.
  size_t memory_bytes() const;

 private:
  enum class Form : uint8_t { kInline, kInteger, kGrowing, kContainer };
  static constexpr int kInlineSizeBits = 10;
  static constexpr int kKeySizeBits = 24;
  // A longer key has no inline string: the bits of its size hold the higher ones of the key's.
  static constexpr size_t kInlineKeyMax = (size_t{1} << kKeySizeBits) - 1;
  static_assert(kInlineMax < (1U << kInlineSizeBits));

  static bool fits_inline(Bytes key, Bytes text) {
    return text.size() <= kInlineMax && key.size() <= kInlineKeyMax;
  }
  static Entry* allocate(Bytes key, ValueType type, Form form, size_t inline_size,
                         int64_t expiry_ms);
  static Entry* make_hash(Bytes key, Hash& hash, int64_t expiry_ms);
  Entry* rebuilt(Form form, size_t inline_size, int64_t expiry_ms) const;
  void destroy_payload();

  size_t payload_offset() const { return sizeof(Entry) + (has_expiry() ? 8 : 0); }
  size_t key_offset() const { return payload_offset() + (form_ == Form::kInline ? 0 : 8); }
  size_t inline_offset() const { return key_offset() + key_size_low_; }
  size_t key_size() const {
    const size_t high = form_ == Form::kInline ? 0 : inline_size_;
    return high << kKeySizeBits | key_size_low_;
  }
  char* bytes() { return reinterpret_cast<char*>(this); }
  const char* bytes() const { return reinterpret_cast<const char*>(this); }
  int64_t load(size_t offset) const {
    int64_t value;
    std::memcpy(&value, bytes() + offset, sizeof(value));
    return value;
  }
  void store(size_t offset, int64_t value) { std::memcpy(bytes() + offset, &value, sizeof(value)); }
  void* pointer() const { return reinterpret_cast<void*>(load(payload_offset())); }
  GrowingString* growing() const { return static_cast<GrowingString*>(pointer()); }

  ValueType type_ : 3;
  Form form_ : 2;
  bool has_expiry_ : 1;
  uint16_t inline_size_ : kInlineSizeBits;
  uint64_t use_ : kUseBits;
  uint64_t key_size_low_ : kKeySizeBits;
};
static_assert(sizeof(Entry) == 8);

}  // namespace tandem
