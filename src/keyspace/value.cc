#include "keyspace/value.h"

#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "data/stream.h"

namespace tandem {

Bytes type_name(ValueType type) {
  static constexpr Bytes kNames[] = {"string", "list", "set", "zset", "hash", "stream"};
  return kNames[static_cast<int>(type)];
}

Value::Value(std::string text, StringForm form) : payload_(std::move(text)), form_(form) {}
Value::Value(std::unique_ptr<List> list) : payload_(std::move(list)) {}
Value::Value(std::unique_ptr<Set> set) : payload_(std::move(set)) {}
Value::Value(std::unique_ptr<SortedSet> sorted_set) : payload_(std::move(sorted_set)) {}
Value::Value(std::unique_ptr<Hash> hash) : payload_(std::move(hash)) {}
Value::Value(std::unique_ptr<Stream> stream) : payload_(std::move(stream)) {}
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

ValueRef ref(const Value& value) {
  if (value.type() == ValueType::kString) return {ValueType::kString, value.text(), nullptr};
  const void* container = nullptr;
  switch (value.type()) {
    case ValueType::kString:
      break;
    case ValueType::kList:
      container = &value.as<List>();
      break;
    case ValueType::kSet:
      container = &value.as<Set>();
      break;
    case ValueType::kSortedSet:
      container = &value.as<SortedSet>();
      break;
    case ValueType::kHash:
      container = &value.as<Hash>();
      break;
    case ValueType::kStream:
      container = &value.as<Stream>();
      break;
  }
  return {value.type(), {}, container};
}

}  // namespace tandem
