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
      : tables_(std::move(other.tables_)),
        entries_(std::exchange(other.entries_, {})),
        others_(std::exchange(other.others_, {})) {}
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
  int64_t keys() const {
    return static_cast<int64_t>(entries_.size()) + (tables_ == nullptr ? 0 : tables_->keys());
  }

 private:
  TablesRef tables_;
  std::vector<Entry*> entries_;
  std::vector<std::shared_ptr<const void>> others_;
};

}  // namespace tandem
