// Libraries of functions, once their code has run: what each has registered, and which function a
// name means.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tandem {

// What redis.register_function was told.
struct LibraryFunction {
  std::string name;
  std::optional<std::string> description = {};
  uint32_t flags = 0;  // ScriptFlag
  int callback = 0;    // its number in the virtual machine
};

// Immutable.
struct FunctionLibrary {
  std::string name;
  std::shared_ptr<const std::string> code;      // whole, with its first line
  std::vector<LibraryFunction> functions = {};  // by name
};

// Libraries that do not get into each other's way: the names of two functions differ in more than
// capitals, unless they are of one library. (There the first one in the order of names is called.)
//
// A value: copies share the libraries. Confined to one thread, or constant.
class LibrarySet {
 public:
  using Library = std::shared_ptr<const FunctionLibrary>;

  // `code_bytes_max`: of all texts.
  explicit LibrarySet(size_t code_bytes_max) : code_bytes_max_(code_bytes_max) {}

  // Null: there is none.
  const FunctionLibrary* find(Bytes name) const;
  // In any case of letters.
  const LibraryFunction* find_function(Bytes name) const;
  // By name.
  const std::map<std::string, Library, std::less<>>& libraries() const { return libraries_; }

  // REQUIRES: no library of its name is there. The error names a function that is there already, or
  // says that there is no room.
  Result<void> add(Library library);
  void remove(Bytes name);
  // Adds all of `more`. Where a library of a name is there already it gives way, or the error names
  // it. After an error some may have been added.
  Result<void> join(const LibrarySet& more, bool replace);

  int64_t function_count() const { return function_count_; }
  // Of the texts.
  size_t code_bytes() const { return code_bytes_; }

 private:
  size_t code_bytes_max_;
  std::map<std::string, Library, std::less<>> libraries_;
  std::map<std::string, const LibraryFunction*, std::less<>> functions_;  // by lower-case name
  int64_t function_count_ = 0;
  size_t code_bytes_ = 0;
};

}  // namespace tandem
