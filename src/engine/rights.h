// What clients may do, as the engine asks for it. Who the users are, their passwords, and the rules
// that make their rights, is another part's matter (acl/).
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/lock.h"

namespace tandem {

struct Command;

// Why a call is not allowed. Of several reasons the greatest is told, and of two keys the last.
enum class DenialReason : uint8_t { kCommand, kKey, kChannel };

struct Denial {
  DenialReason reason = DenialReason::kCommand;
  size_t at = 0;  // of a key or a channel: which argument it is
  auto operator<=>(const Denial&) const = default;
};

// As a part of what the call was asked for.
enum class DenialContext : uint8_t { kAlone, kTransaction, kScript };

// One version of what a user may do. Immutable, shared by all threads.
class Rights {
 public:
  virtual ~Rights() = default;
  // Everything there is: nobody need ask further.
  virtual bool are_unlimited() const = 0;
  // Why this call is not allowed; nothing if it is.
  virtual std::optional<Denial> denial(const Command& command,
                                       std::span<const Bytes> args) const = 0;
  // Whether this call, which is allowed, may read keys that its arguments do not name (SORT's BY
  // and GET). Who does not say so may not.
  virtual bool may_read_any_key(const Command&, std::span<const Bytes>) const { return false; }
};

// A user, as clients hold on to it: one object as long as the user exists, whatever becomes of its
// rights. A client takes them once after each change, and asks nobody in between
// (engine/admission.h).
//
// Threads: any.
class Account {
 public:
  Account(std::string its_name, std::shared_ptr<const Rights> rights)
      : name(std::move(its_name)), rights_(std::move(rights)) {}

  const std::string name;

  // Null once the user is deleted: nothing is allowed any more.
  std::shared_ptr<const Rights> rights() const {
    const Guard guard(lock_);
    return rights_;
  }
  void set_rights(std::shared_ptr<const Rights> rights) {
    const Guard guard(lock_);
    rights_ = std::move(rights);
  }

 private:
  mutable Lock lock_;
  std::shared_ptr<const Rights> rights_ TANDEM_GUARDED_BY(lock_);
};

}  // namespace tandem
