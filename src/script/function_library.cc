#include "script/function_library.h"

#include <utility>

#include <fmt/format.h>

namespace tandem {

const FunctionLibrary* LibrarySet::find(Bytes name) const {
  const auto found = libraries_.find(name);
  return found == libraries_.end() ? nullptr : found->second.get();
}

const LibraryFunction* LibrarySet::find_function(Bytes name) const {
  const auto found = functions_.find(to_lower(name));
  return found == functions_.end() ? nullptr : found->second;
}

Result<void> LibrarySet::add(Library library) {
  for (const LibraryFunction& function : library->functions) {
    if (find_function(function.name) != nullptr) {
      return fail(ErrorCode::kInvalid, fmt::format("Function {} already exists", function.name));
    }
  }
  if (library->code->size() > code_bytes_max_ - code_bytes_) {
    return fail(ErrorCode::kLimit, "not enough memory");
  }
  for (const LibraryFunction& function : library->functions) {
    functions_.emplace(to_lower(function.name), &function);
  }
  function_count_ += static_cast<int64_t>(library->functions.size());
  code_bytes_ += library->code->size();
  libraries_.emplace(library->name, std::move(library));
  return {};
}

void LibrarySet::remove(Bytes name) {
  const auto found = libraries_.find(name);
  if (found == libraries_.end()) return;
  const FunctionLibrary& library = *found->second;
  for (const LibraryFunction& function : library.functions) {
    functions_.erase(to_lower(function.name));
  }
  function_count_ -= static_cast<int64_t>(library.functions.size());
  code_bytes_ -= library.code->size();
  libraries_.erase(found);
}

Result<void> LibrarySet::join(const LibrarySet& more, bool replace) {
  for (const auto& [name, library] : more.libraries_) {
    if (!replace && find(name) != nullptr) {
      return fail(ErrorCode::kInvalid, fmt::format("Library {} already exists", name));
    }
    remove(name);
  }
  for (const auto& [name, library] : more.libraries_) {
    if (auto added = add(library); !added) return added;
  }
  return {};
}

}  // namespace tandem
