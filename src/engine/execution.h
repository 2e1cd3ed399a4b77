// One execution under one set of stripes: a command, a transaction, a script, a blocked client's
// second try, or a step of active expiry.
//
//   declare...   what it may touch
//   (lock)       by its owner: KeyLocks
//   begin        time stands still
//   invoke       handlers run, on the keys that it declared
//   commit       effects get their place in the log, watchers and clients that cache what has
//                changed are told; who waits for a key that changed is found in ready()
//   (unlock)     by its owner
//   end          what was replaced is freed
//
// Threads: belongs to the thread that executes. Kept and used again: none of its buffers stays
// large.
#pragma once

#include <span>
#include <vector>

#include "base/random.h"
#include "engine/announcer.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/key_locks.h"

namespace tandem {

// A command on its way through an execution.
struct Call {
  const Command& command;
  ClientState& client;
  std::span<const Bytes> args;
  Bytes raw;  // of a link: what goes into the log; else the request as it came, or empty
  ReplyWriter& reply;
  bool may_block = false;
  bool goes_on = false;  // the rest of a command: what it moves does not hold it back
  // Outcome.
  bool blocked = false;
  bool error_counted = false;
  BlockRequest request = {};
  StripeDoor* door = nullptr;  // of a command that visits stripes
};

class Execution {
 public:
  explicit Execution(Engine& engine)
      : engine_(engine), access_(engine.keyspace, engine.limits, effects_), announcer_(engine) {}

  // ---- What it may touch. Views in it outlive the execution. ----
  void declare_nothing();
  void declare(const Command& command, std::span<const Bytes> args);
  void declare_key(Bytes key);
  // All keys of a partition.
  void declare_partition(int partition);
  // One stripe instead of the one before, in the middle of an execution that named no key.
  void declare_visit(int stripe) {
    stripes_.clear();
    stripes_.add(stripe);
  }
  void declare_everything() { stripes_ = StripeSet::all(); }
  const StripeSet& stripes() const { return stripes_; }
  bool has_declared_keys() const { return !declared_.empty(); }
  std::span<const DeclaredKey> declared() const { return declared_; }

  // ---- Under `locks`, which cover what was declared, and stay until after commit(). A command
  // that visits stripes begins without any. ----
  // `client`: for whom, by its id.
  void begin(const KeyLocks& locks, uint64_t client, int64_t now_ms, ExpiryMode mode);
  // Before the next command of a transaction or script.
  void go_on(ExpiryMode mode) {
    access_.set_mode(mode);
    access_.listen(announcer_.go_on());
  }
  // Runs a hermetic handler.
  void invoke(Call& call, Random& random);
  // The context of a handler, for who runs it by other means.
  Context context(Call& call, View& view, Random& random);
  // The reply of a command that reads is written: if its client tracks, what it has read is
  // remembered.
  void note_reads(const Command& command, const ClientState& client, std::span<const Bytes> args) {
    if (client.tracking.remembers_reads() && command.has(kReadOnly)) [[unlikely]]
      remember_reads(command, client.id, args);
  }
  void commit(const Call& call);
  // The same for changes that no client made.
  void commit();

  KeyAccess& access() { return access_; }
  Effects& effects() { return effects_; }
  // Changed keys for which somebody may wait; for who serves them to empty.
  std::vector<KeyName>& ready() { return ready_; }

  // REQUIRES: no stripe held.
  void end();

 private:
  void remember_reads(const Command& command, uint64_t client, std::span<const Bytes> args);
  void note_changes();

  Engine& engine_;
  const KeyLocks* locks_ = nullptr;
  StripeSet stripes_;
  std::vector<FoundKey> found_;
  std::vector<DeclaredKey> declared_;
  Effects effects_;
  KeyAccess access_;
  Announcer announcer_;
  std::vector<KeyName> ready_;
};

// What becomes of keys whose time is over in commands of this client now.
ExpiryMode expiry_mode(const Gate& gate, const ClientState& client, bool writes);

}  // namespace tandem
