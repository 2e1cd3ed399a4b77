// The users of a server, by their names. There is always one called "default", which clients are
// until they say otherwise.
//
// Threads: any may look. Users are changed only while all stripes are held: a command that holds
// any finds the rights by which it was judged unchanged (engine/admission.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "acl/user.h"
#include "base/lock.h"
#include "base/option.h"

namespace tandem {

inline constexpr Bytes kDefaultUser = "default";

// A user at one moment.
struct NamedUser {
  std::shared_ptr<const Account> account;
  std::shared_ptr<const User> user;
};

class Users {
 public:
  // Both outlive this. `all_channels`: acl-pubsub-default.
  Users(const Registry& commands, const Option<bool>& all_channels);

  std::optional<NamedUser> find(Bytes name) const;
  // In the order of their names.
  std::vector<NamedUser> list() const;
  NamedUser default_user() const;
  // Who may log in with this name and password; null: nobody.
  std::shared_ptr<const Account> log_in(Bytes name, Bytes password) const;
  RuleTerms terms() const { return {commands_, all_channels_.get()}; }

  // ---- REQUIRES: all stripes held. ----
  // Gives a user these rights; it is made if there is none.
  std::shared_ptr<const Account> put(Bytes name, User user);
  // False: there is none. Not for the default user.
  bool remove(Bytes name);
  // Other users instead of all that there are. The default user stays, with new rights; all others
  // are new ones, even those that keep their names.
  void replace_all(std::map<std::string, User, std::less<>> users);

 private:
  struct Entry {
    std::shared_ptr<Account> account;
    std::shared_ptr<const User> user;
  };

  std::shared_ptr<const Account> put_locked(Bytes name, User user) TANDEM_REQUIRES(lock_);

  const Registry& commands_;
  const Option<bool>& all_channels_;
  mutable Lock lock_;
  std::map<std::string, Entry, std::less<>> users_ TANDEM_GUARDED_BY(lock_);
};

// "user NAME RULES", as configuration files and ACL LIST have it.
std::string user_line(const NamedUser& user);

// A file of users: a line "user NAME RULES..." for each, with single blanks between the words, and
// empty lines.

// The error tells of all lines what is wrong with them, each with `path`.
Result<std::map<std::string, User, std::less<>>> read_users(Bytes text, Bytes path,
                                                            const RuleTerms& terms);
std::string write_users(std::span<const NamedUser> users);

}  // namespace tandem
