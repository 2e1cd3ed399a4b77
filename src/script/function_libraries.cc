#include "script/function_libraries.h"

#include <utility>

#include <fmt/format.h>

#include "rdb/dump.h"
#include "script/script_text.h"

namespace tandem {
namespace {

// Ends the loading of a library after a while, and when the server shuts down.
class LoadWatch final : public ScriptWatch {
 public:
  LoadWatch(const Clock& clock, const ScriptControl& control, int64_t ms_max)
      : clock_(clock), control_(control), end_ms_(clock.monotonic_ms() + ms_max) {}
  const char* interruption() override {
    const bool over = clock_.monotonic_ms() >= end_ms_ || control_.aborted();
    return over ? "FUNCTION LOAD timeout" : nullptr;
  }

 private:
  const Clock& clock_;
  const ScriptControl& control_;
  const int64_t end_ms_;
};

void forget(ScriptVm& vm, const FunctionLibrary& library) {
  for (const LibraryFunction& function : library.functions) vm.forget(function.callback);
  vm.collect_garbage();
}

}  // namespace

// Libraries in a machine of their own.
struct FunctionLibraries::Beside final : public Aside {
  Beside(FunctionLibraries& its_owner, std::shared_ptr<ScriptVm> its_vm)
      : owner(its_owner), vm(std::move(its_vm)), libraries(owner.memory_bytes_max_) {}

  Result<void> add(Bytes code) override { return add(code, kLoadOfPrimaryMsMax); }
  Result<void> add(Bytes code, int64_t ms_max) {
    const auto name = owner.load_into(*vm, libraries, code, /*replace=*/false, ms_max);
    return name ? Result<void>() : std::unexpected(name.error());
  }

  FunctionLibraries& owner;
  std::shared_ptr<ScriptVm> vm;
  LibrarySet libraries;
};

FunctionLibraries::FunctionLibraries(const Clock& clock, const ScriptControl& control,
                                     LuaRandom& random, size_t memory_bytes_max)
    : clock_(clock),
      control_(control),
      random_(random),
      memory_bytes_max_(memory_bytes_max),
      vm_(make_beside()->vm) {
  publish(LibrarySet(memory_bytes_max_));
}

std::unique_ptr<FunctionLibraries::Beside> FunctionLibraries::make_beside() {
  return std::make_unique<Beside>(
      *this, std::make_shared<ScriptVm>(ScriptVm::Kind::kFunctions, memory_bytes_max_, random_));
}

void FunctionLibraries::note_memory() {
  vm_bytes_.store(static_cast<int64_t>(vm_->memory_bytes()), std::memory_order_relaxed);
}

void FunctionLibraries::publish(LibrarySet libraries) {
  seen_.set(std::make_shared<const LibrarySet>(std::move(libraries)));
  note_memory();
}

Result<std::string> FunctionLibraries::load_into(ScriptVm& vm, LibrarySet& into, Bytes code,
                                                 bool replace, int64_t ms_max) const {
  const Result<LibraryText> text = read_library_text(code);
  if (!text) return std::unexpected(text.error());
  if (!replace && into.find(text->name) != nullptr) {
    return fail(ErrorCode::kInvalid, fmt::format("Library '{}' already exists", text->name));
  }
  LoadWatch watch(clock_, control_, ms_max);
  auto functions = vm.load(text->code, watch);
  if (!functions) return std::unexpected(functions.error());
  const auto library = std::make_shared<const FunctionLibrary>(
      FunctionLibrary{.name = text->name,
                      .code = std::make_shared<const std::string>(code),
                      .functions = std::move(*functions)});
  into.remove(library->name);
  if (const Result<void> added = into.add(library); !added) {
    forget(vm, *library);
    return std::unexpected(added.error());
  }
  return library->name;
}

Result<std::string> FunctionLibraries::load(Bytes code, bool replace, int64_t ms_max) {
  const Seen former = seen();
  LibrarySet libraries = *former;
  Result<std::string> name = load_into(*vm_, libraries, code, replace, ms_max);
  if (!name) return name;
  publish(std::move(libraries));
  if (const FunctionLibrary* replaced = former->find(*name)) forget(*vm_, *replaced);
  return name;
}

bool FunctionLibraries::remove(Bytes name) {
  const Seen former = seen();
  const FunctionLibrary* library = former->find(name);
  if (library == nullptr) return false;
  LibrarySet libraries = *former;
  libraries.remove(name);
  publish(std::move(libraries));
  forget(*vm_, *library);
  return true;
}

// Those that come are a set of their own first; only when all of them are there the two become one.
Result<void> FunctionLibraries::restore(Bytes payload, bool replace, int64_t ms_max) {
  LibrarySet more(memory_bytes_max_);
  Result<void> restored = restore_libraries(payload, {}, [&](Bytes code) -> Result<void> {
    const auto name = load_into(*vm_, more, code, /*replace=*/false, ms_max);
    return name ? Result<void>() : std::unexpected(name.error());
  });
  const Seen former = seen();
  LibrarySet libraries = *former;
  if (restored) restored = libraries.join(more, replace);
  if (restored) publish(std::move(libraries));
  for (const auto& [name, library] : more.libraries()) {
    const FunctionLibrary* unwanted = restored ? former->find(name) : library.get();
    if (unwanted != nullptr) forget(*vm_, *unwanted);
  }
  return restored;
}

FunctionLibraries::FormerVm FunctionLibraries::clear(const AllStripes& all) {
  const std::unique_ptr<Beside> none = make_beside();
  install(all, *none);
  return none->vm;
}

Result<FunctionLibraries::FormerVm> FunctionLibraries::restore_alone(const AllStripes& all,
                                                                     Bytes payload,
                                                                     int64_t ms_max) {
  const std::unique_ptr<Beside> beside = make_beside();
  const Result<void> restored =
      restore_libraries(payload, {}, [&](Bytes code) { return beside->add(code, ms_max); });
  if (!restored) return std::unexpected(restored.error());
  install(all, *beside);
  return beside->vm;
}

FunctionStore::Codes FunctionLibraries::codes(const AllStripes& /*all*/) const {
  Codes codes;
  for (const auto& [name, library] : seen()->libraries()) codes.push_back(library->code);
  return codes;
}

std::unique_ptr<FunctionStore::Aside> FunctionLibraries::begin_aside() { return make_beside(); }

void FunctionLibraries::install(const AllStripes& /*all*/, Aside& aside) {
  auto& beside = static_cast<Beside&>(aside);
  std::swap(vm_, beside.vm);
  publish(std::move(beside.libraries));
}

}  // namespace tandem
