// What has left the keyspace and takes long to free: flushed databases, large values, large parts
// of values, and what lay beside the keys. Freed when this goes, on whatever thread that is; nobody
// else sees it any more.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "keyspace/keyspace.h"

namespace tandem {

class Garbage {
 public:
  Garbage() = default;
  explicit Garbage(TablesRef tables) : tables_(std::move(tables)) {}
  Garbage(Garbage&& other) noexcept
      : others_(std::exchange(other.others_, {})),
        tables_(std::move(other.tables_)),
        entries_(std::exchange(other.entries_, {})) {}
  Garbage& operator=(Garbage&& other) noexcept {
    std::swap(tables_, other.tables_);
    std::swap(entries_, other.entries_);
    std::swap(others_, other.others_);
    return *this;
  }
  ~Garbage() {
    for (Entry* entry : entries_) Entry::destroy(entry);
  }

  void add(Entry* entry) { entries_.push_back(entry); }
  void add(std::shared_ptr<const void> other) { others_.push_back(std::move(other)); }
  bool empty() const { return tables_ == nullptr && entries_.empty() && others_.empty(); }
  const DatabaseTables* tables() const { return tables_.get(); }
  // Of the large values in it.
  int64_t value_bytes() const {
    int64_t bytes = 0;
    for (const Entry* entry : entries_) bytes += static_cast<int64_t>(entry->memory_bytes());
    return bytes;
  }
  int64_t keys() const {
    return static_cast<int64_t>(entries_.size()) + (tables_ == nullptr ? 0 : tables_->keys());
  }

 private:
  // First, and so the last to go: it may count the rest as leaving (engine/memory_limit.h).
  std::vector<std::shared_ptr<const void>> others_;
  TablesRef tables_;
  std::vector<Entry*> entries_;
};

}  // namespace tandem
