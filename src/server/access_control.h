// Who may do what on this server: its users (acl/users.h), which of them each client is, and what a
// change of users means to the clients that are there.
//
//   its rights change   its clients have the new ones from their next command on, and what waits
//                       for keys or in a transaction is asked again; who is subscribed to what it
//                       has no right to any more is ended
//   it is deleted       its clients are ended
//
// All stripes are held meanwhile: when it is done nothing is under way that the rights before
// allowed and these do not, and nobody is about to subscribe (Executor::declare). Users are not
// replicated.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "acl/users.h"
#include "base/function_ref.h"
#include "config/options.h"
#include "engine/engine.h"
#include "io/files.h"
#include "server/client/client.h"
#include "server/client/client_registry.h"
#include "server/status/command_reports.h"

namespace tandem {

struct UserDeclaration;

class AccessControl {
 public:
  // All outlive this.
  struct Parts {
    Engine& engine;
    ClientRegistry& clients;
    CommandReports& reports;
    Files& files;
    const ServerOptions& options;
  };

  explicit AccessControl(const Parts& parts)
      : parts_(parts), users_(parts.engine.registry, parts.options.all_channels_by_default) {}

  // Before the first client: the password of the default user, and the users that the configuration
  // declares, or those of its file. The error is the text for the log.
  Result<void> begin(std::span<const UserDeclaration> declared);

  const Users& users() const { return users_; }
  // As lines of a configuration file; none while there is a file of users.
  std::vector<std::string> configuration_lines() const;

  // ---- The client's own thread. ----
  // Makes it what it is when it has just come: the default user.
  void admit(ClientState& client) const;
  // False: this is no user and password with which one may log in.
  bool log_in(SessionContext& context, Bytes name, Bytes password);

  // ---- REQUIRES: all stripes held. The errors are replies without their code. ----
  Result<void> set_user(Bytes name, std::span<const Bytes> rules);
  // False: there is none.
  bool delete_user(SessionContext& context, Bytes name);
  // requirepass. Empty: the default user needs none.
  void set_default_password(Bytes password);
  // All users anew from the file. Clients of any but the default user are ended, also of those that
  // stay as they were.
  Result<void> load(SessionContext& context);

  // Any thread. The users into the file.
  Result<void> save() const;

 private:
  Result<void> declare(const UserDeclaration& declared);
  Result<std::map<std::string, User, std::less<>>> read_file() const;
  bool become(ClientState& client, const std::shared_ptr<const Account>& account) const;
  void put(Bytes name, User user);
  void rights_changed();
  void end_strayed_subscribers(const NamedUser& now, const User& before);
  void end_clients(SessionContext& context, FunctionRef<bool(const Account&)> which);

  const Parts parts_;
  Users users_;
  std::string default_password_;  // as it was last told
};

}  // namespace tandem
