#include "keyspace/entry.h"

#include <algorithm>
#include <cstdlib>

#include <malloc.h>

#include "base/check.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "data/stream.h"

namespace tandem {
namespace {

// Redis calls strings up to this size "embstr", longer ones "raw".
constexpr size_t kEmbeddedMax = 44;

void* allocate_bytes(size_t size) {
  void* memory = std::malloc(size);
  CHECK(memory != nullptr, "out of memory");
  return memory;
}

// An empty text may have no address, and memcpy must not see one.
void copy_text(char* to, Bytes text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
}

}  // namespace

Entry* Entry::allocate(Bytes key, ValueType type, Form form, size_t inline_size,
                       int64_t expiry_ms) {
  const size_t expiry_size = expiry_ms == kNoExpiry ? 0 : 8;
  const size_t payload_size = form == Form::kInline ? 0 : 8;
  auto* entry = static_cast<Entry*>(
      allocate_bytes(sizeof(Entry) + expiry_size + payload_size + key.size() + inline_size));
  entry->type_ = type;
  entry->form_ = form;
  entry->has_expiry_ = expiry_size != 0;
  entry->inline_size_ = (form == Form::kInline ? inline_size : key.size() >> kKeySizeBits) &
                        ((1U << kInlineSizeBits) - 1);
  entry->use_ = 0;
  entry->key_size_low_ = key.size() & kInlineKeyMax;
  if (expiry_size != 0) entry->store(sizeof(Entry), expiry_ms);
  copy_text(entry->bytes() + entry->key_offset(), key);
  return entry;
}

GrowingString* GrowingString::make(size_t size, size_t capacity) {
  void* memory = allocate_bytes(sizeof(GrowingString) + capacity);
  return new (memory) GrowingString{.size = size, .capacity = capacity, .owners = 1};
}

void GrowingString::release(GrowingString* string) {
  if (string->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) std::free(string);
}

SharedText Entry::share_text() const {
  CHECK(form_ == Form::kGrowing, "only large strings are shared");
  growing()->owners.fetch_add(1, std::memory_order_relaxed);
  return SharedText(growing());
}

Entry* Entry::make_string(Bytes key, Bytes text, int64_t expiry_ms) {
  if (text.size() <= kInt64TextMax) {
    if (const auto number = parse_int64(text)) {
      Entry* entry = allocate(key, ValueType::kString, Form::kInteger, 0, expiry_ms);
      entry->store(entry->payload_offset(), *number);
      return entry;
    }
  }
  return make_text(key, text, expiry_ms);
}

Entry* Entry::make_text(Bytes key, Bytes text, int64_t expiry_ms) {
  if (fits_inline(key, text)) {
    Entry* entry = allocate(key, ValueType::kString, Form::kInline, text.size(), expiry_ms);
    copy_text(entry->bytes() + entry->inline_offset(), text);
    return entry;
  }
  return make_growing(key, text, expiry_ms);
}

Entry* Entry::make_growing(Bytes key, Bytes text, int64_t expiry_ms) {
  Entry* entry = allocate(key, ValueType::kString, Form::kGrowing, 0, expiry_ms);
  GrowingString* string = GrowingString::make(text.size(), text.size());
  std::memcpy(string->data, text.data(), text.size());
  entry->store(entry->payload_offset(), reinterpret_cast<int64_t>(string));
  return entry;
}

Entry* Entry::make(Bytes key, Value value, int64_t expiry_ms) {
  if (value.type() == ValueType::kString) {
    switch (value.string_form()) {
      case StringForm::kShortest:
        return make_string(key, value.text(), expiry_ms);
      case StringForm::kText:
        return make_text(key, value.text(), expiry_ms);
      case StringForm::kGrowing:
        return make_growing(key, value.text(), expiry_ms);
    }
  }
  if (value.type() == ValueType::kHash) return make_hash(key, value.as<Hash>(), expiry_ms);
  Entry* entry = allocate(key, value.type(), Form::kContainer, 0, expiry_ms);
  void* container = std::visit(
      [](auto& payload) -> void* {
        if constexpr (requires { payload.release(); }) return payload.release();
        return nullptr;
      },
      value.payload());
  entry->store(entry->payload_offset(), reinterpret_cast<int64_t>(container));
  return entry;
}

// Leaves `hash` empty.
Entry* Entry::make_hash(Bytes key, Hash& hash, int64_t expiry_ms) {
  const size_t lent = key.size() <= kInlineKeyMax ? hash.bytes_to_lend() : 0;
  Entry* entry = allocate(key, ValueType::kHash, Form::kContainer, lent, expiry_ms);
  void* place = entry->bytes() + entry->payload_offset();
  if (lent == 0) {
    new (place) Hash(std::move(hash));
  } else {
    (new (place) Hash())->move_in(hash, entry->bytes() + entry->inline_offset());
  }
  return entry;
}

Entry* Entry::take_in() {
  if (type() != ValueType::kHash || key_size() > kInlineKeyMax) return this;
  if (as<Hash>().is_lent() || as<Hash>().bytes_to_lend() == 0) return this;
  Entry* entry = make_hash(key(), as<Hash>(), expiry_ms());
  entry->use_ = use_;
  destroy(this);
  return entry;
}

void Entry::destroy_payload() {
  if (form_ == Form::kGrowing) GrowingString::release(growing());
  if (form_ != Form::kContainer) return;
  switch (type()) {
    case ValueType::kString:
      break;
    case ValueType::kList:
      delete &as<List>();
      break;
    case ValueType::kSet:
      delete &as<Set>();
      break;
    case ValueType::kSortedSet:
      delete &as<SortedSet>();
      break;
    case ValueType::kHash:
      as<Hash>().~Hash();
      break;
    case ValueType::kStream:
      delete &as<Stream>();
      break;
  }
}

void Entry::destroy(Entry* entry) {
  entry->destroy_payload();
  std::free(entry);
}

bool Entry::is_long_to_free() const {
  constexpr size_t kAllocationsMin = 64;
  constexpr size_t kStreamPartsMin =
      1024;  // pending entries above all, some dozens of which lie in
             // one allocation
  switch (type()) {
    case ValueType::kString:
      return false;
    case ValueType::kList:
      return as<List>().node_count() > kAllocationsMin;
    case ValueType::kSet:
      return as<Set>().size() > kAllocationsMin;
    case ValueType::kSortedSet:
      return as<SortedSet>().size() > kAllocationsMin;
    case ValueType::kHash:
      return as<Hash>().size() > kAllocationsMin;
    case ValueType::kStream:
      return as<Stream>().nodes().size() > kAllocationsMin ||
             as<Stream>().has_parts(kStreamPartsMin);
  }
  return false;
}

Bytes Entry::text(char (&digits)[kInt64TextMax]) const {
  switch (form_) {
    case Form::kInline:
      return {bytes() + inline_offset(), inline_size_};
    case Form::kInteger:
      return {digits, write_int64(digits, integer())};
    case Form::kGrowing:
      return {growing()->data, growing()->size};
    case Form::kContainer:
      break;
  }
  CHECK(false, "text of a container");
}

size_t Entry::text_size() const {
  char digits[kInt64TextMax];
  return text(digits).size();
}

StringForm Entry::string_form() const {
  if (form_ == Form::kGrowing) return StringForm::kGrowing;
  return form_ == Form::kInline ? StringForm::kText : StringForm::kShortest;
}

Bytes Entry::encoding_name() const {
  switch (type()) {
    case ValueType::kString:
      if (form_ == Form::kInteger) return "int";
      return form_ == Form::kInline && inline_size_ <= kEmbeddedMax ? "embstr" : "raw";
    case ValueType::kList:
      return as<List>().encoding_name();
    case ValueType::kSet:
      return as<Set>().encoding_name();
    case ValueType::kSortedSet:
      return as<SortedSet>().encoding_name();
    case ValueType::kHash:
      return as<Hash>().encoding_name();
    case ValueType::kStream:
      return "stream";
  }
  return "unknown";
}

ValueRef Entry::ref(char (&digits)[kInt64TextMax]) const {
  if (type() == ValueType::kString) return {ValueType::kString, text(digits), nullptr};
  return {type(), {}, type() == ValueType::kHash ? &as<Hash>() : pointer()};
}

void Entry::prefetch_content() const {
  if (form_ != Form::kContainer) return;
  const Listpack* pack = nullptr;
  const void* bytes = nullptr;
  switch (type()) {
    case ValueType::kList:
      pack = as<List>().listpack();
      break;
    case ValueType::kSet:
      pack = as<Set>().listpack();
      break;
    case ValueType::kSortedSet:
      pack = as<SortedSet>().listpack();
      break;
    case ValueType::kHash:
      if (const auto fields = as<Hash>().listpack()) bytes = fields->bytes().data();
      break;
    case ValueType::kString:
    case ValueType::kStream:
      break;
  }
  if (pack != nullptr) bytes = pack->place();
  if (bytes == nullptr) return;
  constexpr size_t kLineBytes = 64;
  constexpr size_t kLines = 3;
  const auto* place = static_cast<const char*>(bytes);
  for (size_t i = 0; i < kLines; ++i) __builtin_prefetch(place + i * kLineBytes);
}

bool Entry::is_walked() const {
  switch (type()) {
    case ValueType::kSet:
      return as<Set>().is_walked();
    case ValueType::kSortedSet:
      return as<SortedSet>().is_walked();
    case ValueType::kHash:
      return as<Hash>().is_walked();
    default:
      return false;
  }
}

// A new allocation with the same key and value but another form or expiry; a payload that both
// forms have is moved over. The caller frees this one with std::free.
Entry* Entry::rebuilt(Form form, size_t inline_size, int64_t expiry_ms) const {
  Entry* entry = allocate(key(), type(), form, inline_size, expiry_ms);
  if (form == form_ && form != Form::kInline) {
    entry->store(entry->payload_offset(), load(payload_offset()));
  }
  return entry;
}

Entry* Entry::set_text(Bytes text) {
  if (form_ == Form::kInline && inline_size_ == text.size() &&
      (text.size() > kInt64TextMax || !parse_int64(text))) {
    copy_text(bytes() + inline_offset(), text);
    return this;
  }
  Entry* entry = make_string(key(), text, expiry_ms());
  destroy(this);
  return entry;
}

Entry* Entry::set_plain_text(Bytes text) {
  Entry* entry = make_text(key(), text, expiry_ms());
  destroy(this);
  return entry;
}

Entry* Entry::set_integer(int64_t value) {
  Entry* entry = this;
  if (form_ != Form::kInteger) {
    entry = rebuilt(Form::kInteger, 0, expiry_ms());
    destroy(this);
  }
  entry->store(entry->payload_offset(), value);
  return entry;
}

Entry* Entry::resize_text(size_t size, char*& data) {
  Entry* entry = this;
  GrowingString* string = form_ == Form::kGrowing ? growing() : nullptr;
  // What a snapshot read of it has been read before it let go.
  if (string == nullptr || string->owners.load(std::memory_order_acquire) != 1) {
    char digits[kInt64TextMax];
    const Bytes old = text(digits);
    string = GrowingString::make(old.size(), std::max(size, old.size()));
    std::memcpy(string->data, old.data(), old.size());
    entry = rebuilt(Form::kGrowing, 0, expiry_ms());
    destroy(this);
  }
  if (size > string->capacity) {
    // Doubling up to a megabyte at a time keeps APPEND linear without wasting half of a large
    // value.
    const size_t capacity = size + std::min(size, size_t{1} << 20);
    string = static_cast<GrowingString*>(std::realloc(string, sizeof(GrowingString) + capacity));
    CHECK(string != nullptr, "out of memory");
    string->capacity = capacity;
  }
  if (size > string->size) std::memset(string->data + string->size, 0, size - string->size);
  string->size = size;
  entry->store(entry->payload_offset(), reinterpret_cast<int64_t>(string));
  data = string->data;
  return entry;
}

Entry* Entry::set_expiry(int64_t expiry_ms) {
  if (has_expiry() && expiry_ms != kNoExpiry) {
    store(sizeof(Entry), expiry_ms);
    return this;
  }
  if (has_expiry() == (expiry_ms != kNoExpiry)) return this;
  if (type() == ValueType::kHash) {
    Entry* entry = make_hash(key(), as<Hash>(), expiry_ms);
    destroy(this);
    return entry;
  }
  const size_t inline_size = form_ == Form::kInline ? inline_size_ : 0;
  Entry* entry = rebuilt(form_, inline_size, expiry_ms);
  if (form_ == Form::kInline) {
    std::memcpy(entry->bytes() + entry->inline_offset(), bytes() + inline_offset(), inline_size_);
  }
  std::free(this);
  return entry;
}

Value Entry::take_value() {
  if (type() == ValueType::kString) {
    char digits[kInt64TextMax];
    return Value(std::string(text(digits)), string_form());
  }
  if (type() == ValueType::kHash) {
    Value taken(std::make_unique<Hash>(std::move(as<Hash>())));
    type_ = ValueType::kString;
    form_ = Form::kInteger;
    return taken;
  }
  void* container = pointer();
  const ValueType taken = type();
  type_ = ValueType::kString;
  form_ = Form::kInteger;
  switch (taken) {
    case ValueType::kString:
    case ValueType::kHash:
      break;
    case ValueType::kList:
      return Value(std::unique_ptr<List>(static_cast<List*>(container)));
    case ValueType::kSet:
      return Value(std::unique_ptr<Set>(static_cast<Set*>(container)));
    case ValueType::kSortedSet:
      return Value(std::unique_ptr<SortedSet>(static_cast<SortedSet*>(container)));
    case ValueType::kStream:
      return Value(std::unique_ptr<Stream>(static_cast<Stream*>(container)));
  }
  CHECK(false, "an entry has a type");
}

size_t Entry::memory_bytes() const {
  size_t size = malloc_usable_size(const_cast<Entry*>(this));
  if (form_ == Form::kGrowing) size += malloc_usable_size(pointer());
  if (form_ != Form::kContainer) return size;
  switch (type()) {
    case ValueType::kString:
      break;
    case ValueType::kList:
      return size + as<List>().memory_bytes();
    case ValueType::kSet:
      return size + as<Set>().memory_bytes();
    case ValueType::kSortedSet:
      return size + as<SortedSet>().memory_bytes();
    case ValueType::kHash:
      return size + as<Hash>().memory_bytes();
    case ValueType::kStream:
      return size + as<Stream>().memory_bytes();
  }
  return size;
}

}  // namespace tandem
