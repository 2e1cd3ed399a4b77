// A user: whether it may log in, its passwords, and its rights, as rules make them. One rule after
// the other is applied to a draft, which becomes immutable when others see it.
//
//   on off                         may log in or not
//   nopass >secret #hash           any password will do; one more, as it is or as its hash
//   <secret !hash resetpass        one less; none
//   ( ... ) clearselectors         one more set of rights; all of these gone
//   sanitize-payload               what RESTORE gets is checked; here it always is
//   skip-sanitize-payload
//   reset                          as a user that was just made
//
// All other rules are about the rights that a user has by itself, its root selector's
// (acl/selector.h).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "acl/selector.h"
#include "base/bytes.h"
#include "base/result.h"
#include "engine/rights.h"

namespace tandem {

class User final : public Rights {
 public:
  // Off, without a password or any right.
  explicit User(const RuleTerms& terms);
  // The default user of a server whose configuration says nothing of users.
  static User unrestricted(const RuleTerms& terms);

  // Applies one rule; a selector is one, with all that it says between its brackets. Errors as
  // Selector::apply's. It may be half applied then.
  Result<void> apply(Bytes rule, const RuleTerms& terms);

  bool is_on() const { return on_; }
  bool has_any_password() const { return any_password_; }
  // With this password it may log in.
  bool accepts(Bytes password) const;

  bool are_unlimited() const override;
  std::optional<Denial> denial(const Command& command, std::span<const Bytes> args) const override;
  bool may_read_any_key(const Command& command, std::span<const Bytes> args) const override;
  // Some selector allows the channel.
  bool allows_channel(Bytes name, bool is_pattern) const;
  // Whether this version of a user has all rights to channels that the one before had, rule by
  // rule.
  bool keeps_channels_of(const User& before) const;

  // The root selector comes first.
  std::span<const Selector> selectors() const { return selectors_; }
  std::span<const std::string> password_hashes() const { return password_hashes_; }
  // "on", "nopass", ...
  std::vector<Bytes> flags() const;
  // All of it as rules in one line, as ACL LIST and files have them.
  std::string rules() const;

 private:
  Result<void> add_password(std::string hash);
  Result<void> remove_password(Bytes hash);
  Result<void> add_selector(Bytes rules, const RuleTerms& terms);

  bool on_ = false;
  bool any_password_ = false;
  bool sanitizes_payload_ = true;
  std::vector<std::string> password_hashes_;
  std::vector<Selector> selectors_;
};

// Rules as words may cut a selector into several: "(~a", "+get)". Joins these, with blanks. The
// error's text is the word whose bracket is never closed.
Result<std::vector<std::string>> join_selectors(std::span<const Bytes> words);

}  // namespace tandem
