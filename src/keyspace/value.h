// A value outside the table, owned by whoever holds it: what RENAME, RESTORE and an RDB file carry
// from and to a key. Inside the table the same value is part of an Entry (keyspace/entry.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "base/bytes.h"

namespace tandem {

class List;
class Set;
class SortedSet;
class Hash;
class Stream;

// In the order of Value's alternatives.
enum class ValueType : uint8_t { kString, kList, kSet, kSortedSet, kHash, kStream };

// As TYPE names it: "string", "list", "set", "zset", "hash", "stream".
Bytes type_name(ValueType type);

// Maps a container to its ValueType.
template <class T>
struct TypeOf;
template <>
struct TypeOf<List> {
  static constexpr ValueType value = ValueType::kList;
};
template <>
struct TypeOf<Set> {
  static constexpr ValueType value = ValueType::kSet;
};
template <>
struct TypeOf<SortedSet> {
  static constexpr ValueType value = ValueType::kSortedSet;
};
template <>
struct TypeOf<Hash> {
  static constexpr ValueType value = ValueType::kHash;
};
template <>
struct TypeOf<Stream> {
  static constexpr ValueType value = ValueType::kStream;
};

// How a string lies in the table, which OBJECT ENCODING tells and which goes with it to another
// key.
enum class StringForm : uint8_t {
  kShortest,  // as SET makes it: an integer if it reads as one
  kText,      // even if it reads as an integer
  kGrowing,   // with room to grow, however short
};

// Move-only. Strings that are integers are kept as text here.
class Value {
 public:
  using Payload =
      std::variant<std::string, std::unique_ptr<List>, std::unique_ptr<Set>,
                   std::unique_ptr<SortedSet>, std::unique_ptr<Hash>, std::unique_ptr<Stream>>;

  explicit Value(std::string text, StringForm form = StringForm::kShortest);
  explicit Value(std::unique_ptr<List> list);
  explicit Value(std::unique_ptr<Set> set);
  explicit Value(std::unique_ptr<SortedSet> sorted_set);
  explicit Value(std::unique_ptr<Hash> hash);
  explicit Value(std::unique_ptr<Stream> stream);
  Value(Value&&) noexcept;
  Value& operator=(Value&&) noexcept;
  ~Value();

  ValueType type() const { return static_cast<ValueType>(payload_.index()); }
  const std::string& text() const { return std::get<std::string>(payload_); }
  StringForm string_form() const { return form_; }
  // REQUIRES: type() is T's.
  template <class T>
  const T& as() const {
    return *std::get<std::unique_ptr<T>>(payload_);
  }
  template <class T>
  T& as() {
    return *std::get<std::unique_ptr<T>>(payload_);
  }
  Payload& payload() { return payload_; }

 private:
  Payload payload_;
  StringForm form_ = StringForm::kShortest;
};

// A value where it lies, without ownership: in the table or in a Value. `text` is set for strings,
// `container` for the others; valid while the value is unchanged.
struct ValueRef {
  ValueType type = ValueType::kString;
  Bytes text;
  const void* container = nullptr;

  template <class T>
  const T& as() const {
    return *static_cast<const T*>(container);
  }
};

ValueRef ref(const Value& value);

}  // namespace tandem
