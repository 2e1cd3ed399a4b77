// The libraries of functions (FUNCTION LOAD), and the virtual machine in which their functions are.
// They are data of the server, as keys are: the file has them, and replicas get them. But FLUSHALL
// leaves them alone.
//
// There is one machine for all workers, and whoever holds all stripes has it to himself: who calls
// a function as who loads a library. So a library comes at one moment, between two commands, for
// everybody at once, and that moment has its place in the log, before the stripes are let go. No
// call ever sees half of a library, or another one than it began with: until it ends nobody can
// load. Nor is there a second machine that would have to catch up.
//
//   all stripes    LOAD, DELETE, FLUSH and RESTORE change the machine and publish a new set of
//                  libraries; FCALL finds its function in the last one, and runs it
//                  the cut of a snapshot takes the texts (engine/function_store.h)
//   no stripe      LIST, STATS, DUMP and the flags by which an FCALL is judged look at the last set
//                  that was published. It is immutable
//   beside         a snapshot that comes fills a set and a machine of its own, on its own thread;
//                  under all stripes both take the place of those that are served
//
// What a library's code made when it was loaded lives as long as the library: a counter that its
// functions share goes on from call to call, and is not replicated.
//
// Bounds: the memory of the machine and, apart from it, that of all texts; how long the code of a
// library may run while it is loaded. A client's LOAD holds up everybody for kLoadMsMax at most.
// What a primary has accepted may take longer here, since processors differ, but not for ever.
//
// Threads: seen() and vm_bytes() any; begin_aside() any, and what it gives is its owner's; the rest
// whoever holds all stripes.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/option.h"
#include "engine/function_store.h"
#include "script/function_library.h"
#include "script/script_host.h"
#include "script/script_vm.h"

namespace tandem {

class FunctionLibraries final : public FunctionStore {
 public:
  static constexpr int64_t kLoadMsMax = 500;
  static constexpr int64_t kLoadOfPrimaryMsMax = 30'000;

  // All outlive this. `memory_bytes_max`: of the machine, and of all texts.
  FunctionLibraries(const Clock& clock, const ScriptControl& control, LuaRandom& random,
                    size_t memory_bytes_max);
  FunctionLibraries(const FunctionLibraries&) = delete;
  FunctionLibraries& operator=(const FunctionLibraries&) = delete;

  using Seen = std::shared_ptr<const LibrarySet>;
  Seen seen() const { return seen_.get(); }
  int64_t vm_bytes() const { return vm_bytes_.load(std::memory_order_relaxed); }

  ScriptVm& vm() { return *vm_; }
  // After a run.
  void note_memory();

  // Errors of these are Redis's texts but for their code, ERR; then nothing has changed. `ms_max`:
  // for each library.

  // Gives the library's name.
  Result<std::string> load(Bytes code, bool replace, int64_t ms_max);
  // False: there is no such library.
  bool remove(Bytes name);
  // Those of a payload of FUNCTION DUMP among the others. kRefused: it is none.
  Result<void> restore(Bytes payload, bool replace, int64_t ms_max);
  // These leave the former machine to be freed, which takes a while, and wants no lock held.
  using FormerVm = std::shared_ptr<ScriptVm>;
  FormerVm clear(const AllStripes& all);
  Result<FormerVm> restore_alone(const AllStripes& all, Bytes payload, int64_t ms_max);

  Codes codes(const AllStripes& all) const override;
  std::unique_ptr<Aside> begin_aside() override;
  void install(const AllStripes& all, Aside& aside) override;

 private:
  struct Beside;

  std::unique_ptr<Beside> make_beside();
  // Runs the code of a library and adds what it registers, in this machine, to `into`, in the place
  // of its former self where it may replace that.
  Result<std::string> load_into(ScriptVm& vm, LibrarySet& into, Bytes code, bool replace,
                                int64_t ms_max) const;
  void publish(LibrarySet libraries);

  const Clock& clock_;
  const ScriptControl& control_;
  LuaRandom& random_;
  const size_t memory_bytes_max_;
  std::shared_ptr<ScriptVm> vm_;
  Option<Seen> seen_;
  std::atomic<int64_t> vm_bytes_{0};
};

}  // namespace tandem
