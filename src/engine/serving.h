// Serves blocked clients: runs their commands again when a key that they wait for has changed.
//
// First come, first served, by whoever makes the key ready and before anybody else can see it: the
// write takes, before it runs, also the stripes that those who wait for its keys need (cover), and
// serves them in the order of their arrival before it lets go of any.
//
// A waiter's other keys are alternatives (BLPOP a b): while `b` is served, `a` is looked at if its
// stripe is free, and counts as absent otherwise, for if it had anything the waiter would not wait.
// Only what a command needs besides (a move's destination) has to be held. Who needs its keys to be
// there (XREADGROUP) needs them all, and is also served when one is gone.
//
// A key that changed without those stripes (it expired, or another database was written to) is
// served a little later, under locks of its own: nothing came that could be taken away.
//
// Confined to the executor's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "engine/accounts.h"
#include "engine/execution.h"

namespace tandem {

class Serving {
 public:
  Serving(Engine& engine, Random& random, BatchClock& clock, Accounts& accounts)
      : engine_(engine), random_(random), clock_(clock), accounts_(accounts), own_(engine) {}

  // Registers the client of a call that could not proceed. REQUIRES: the stripes of its keys held.
  void wait(const Call& call, const Execution& execution);

  // Extends the locks of a write by what waiters for its declared keys need; they may be let go of
  // in between. False: a script is busy, and none is held.
  bool cover(KeyLocks& locks, const Execution& execution, int database);
  // Serves all who wait for these keys, under the locks of who changed them. Empties `ready`.
  void serve(KeyLocks& locks, std::vector<KeyName>& ready);
  // The same, once the locks are free: for changes that were not covered.
  void serve_later(std::vector<KeyName>& ready);
  // Tells those who were served, and serves what had to wait. What still cannot be served, for a
  // script is busy, stays for the next call. REQUIRES: no stripe held.
  void finish();
  bool has_more() const { return !served_.empty() || !later_.empty(); }

 private:
  struct Served {
    std::shared_ptr<Waiter> waiter;
    std::string reply;
    bool failed = false;
    std::optional<Denial> denied = {};  // instead of being executed
  };

  bool refuse_if_denied(const std::shared_ptr<Waiter>& waiter);
  void serve_key(KeyLocks& locks, const KeyName& key, std::vector<KeyName>& ready);
  using ClaimNext = FunctionRef<std::shared_ptr<Waiter>(uint64_t arrival)>;
  bool serve_each(KeyLocks& locks, const KeyName& key, std::vector<KeyName>& ready,
                  ClaimNext claim_next);
  std::optional<ValueType> type_in(const KeyName& key) const;
  void try_again(KeyLocks& locks, const std::shared_ptr<Waiter>& waiter,
                 std::vector<KeyName>& ready);
  bool take_locks_for(const KeyName& key, KeyLocks& locks);
  void tell(Served served);
  bool is_busy() const { return engine_.gate.is(Gate::kBusyScript); }

  Engine& engine_;
  Random& random_;
  BatchClock& clock_;
  Accounts& accounts_;
  Execution own_;  // the waiters' commands run in it, under the locks of whoever serves
  std::vector<Served> served_;  // to be told when the locks are free
  std::vector<KeyName> later_;  // to be served under locks of their own
};

}  // namespace tandem
