#include "server/access_control.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error_text.h"
#include "base/logging.h"
#include "config/config.h"
#include "pubsub/subscription_registry.h"

namespace tandem {
namespace {

constexpr uint64_t kFileBytesMax = 64 * 1024 * 1024;

bool needs_authentication(const User& default_user) {
  return !default_user.is_on() || !default_user.has_any_password();
}

// Whether it is subscribed to anything that its user has no right to.
bool has_strayed(ClientCard& card, const User& user) {
  const auto is_denied = [&](SubscriptionKind kind) {
    return std::ranges::any_of(SubscriptionRegistry::names_of(kind, card.inbox), [&](Bytes name) {
      return !user.allows_channel(name, kind == SubscriptionKind::kPattern);
    });
  };
  return std::ranges::any_of(kSubscriptionKinds, is_denied);
}

std::vector<Bytes> views(std::span<const std::string> words) {
  return {words.begin(), words.end()};
}

}  // namespace

// At start.

Result<void> AccessControl::begin(std::span<const UserDeclaration> declared) {
  const ExclusiveGuard all(parts_.engine.keyspace);
  set_default_password(parts_.options.network.password.get());
  const bool has_file = !parts_.options.acl_file.empty();
  if (has_file && !declared.empty()) {
    return fail(ErrorCode::kInvalid,
                "Configuring Redis with users defined in redis.conf and at the same setting an ACL "
                "file path is invalid. This setup is very likely to lead to configuration errors "
                "and security holes, please define either an ACL file or declare users directly in "
                "your redis.conf, but not both.");
  }
  for (const UserDeclaration& declaration : declared) {
    if (auto done = declare(declaration); !done) return done;
  }
  if (has_file) {
    auto users = read_file();
    if (!users) {
      return fail(ErrorCode::kInvalid,
                  "Aborting Redis startup because of ACL errors: " + users.error().text);
    }
    users_.replace_all(std::move(*users));
  }
  rights_changed();
  return {};
}

Result<void> AccessControl::declare(const UserDeclaration& declared) {
  const std::vector<Bytes> words = views(declared.words);
  const Bytes name = words.front();
  const auto complain = [&](Bytes word, Bytes text) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}Error in user declaration '{}': {}", declared.report, word, text));
  };
  if (!is_rule_word(name)) {
    return fail(ErrorCode::kInvalid, "Spaces not allowed in ACL usernames");
  }
  const auto rules = join_selectors(std::span(words).subspan(1));
  if (!rules) return complain(rules.error().text, "Unmatched parenthesis in acl selector");
  const RuleTerms terms = users_.terms();
  User user(terms);
  for (const std::string& rule : *rules) {
    const auto done = user.apply(rule, terms);
    if (done) continue;
    if (done.error().code != ErrorCode::kUnsupported) return complain(rule, done.error().text);
    return fail(ErrorCode::kInvalid, fmt::format("Error loading ACL rule '{}' for the user named "
                                                 "'{}': {}",
                                                 rule, name, done.error().text));
  }
  if (!user.is_on()) {
    log_notice(
        "The user '{}' is disabled (there is no 'on' modifier in the user description). Make sure "
        "this is not a configuration error.",
        name);
  }
  users_.put(name, std::move(user));
  return {};
}

std::vector<std::string> AccessControl::configuration_lines() const {
  std::vector<std::string> lines;
  if (!parts_.options.acl_file.empty()) return lines;
  for (const NamedUser& user : users_.list()) lines.push_back(user_line(user));
  return lines;
}

// Who a client is.

void AccessControl::admit(ClientState& client) const {
  client.become(users_.default_user().account);
  client.set(kUnauthenticated, parts_.engine.gate.is(Gate::kAuthRequired));
  if (const auto* connection = connection_of(client)) {
    connection->card()->account.set(client.account);
  }
}

bool AccessControl::log_in(SessionContext& context, Bytes name, Bytes password) {
  const auto account = users_.log_in(name, password);
  if (account != nullptr && become(context.client, account)) return true;
  // Nothing blocks inside a transaction, as AUTH could nowhere else.
  const auto where = context.may_block ? DenialContext::kAlone : DenialContext::kTransaction;
  parts_.reports.login_denied(context.client, context.args[0], name, where,
                              parts_.engine.clock.unix_us());
  return false;
}

// False: the user is gone. Who deletes it looks for it on the cards of clients, when it is gone: so
// either this client is found there, or it finds here that it came too late.
bool AccessControl::become(ClientState& client,
                           const std::shared_ptr<const Account>& account) const {
  const auto* connection = connection_of(client);
  if (connection != nullptr) connection->card()->account.set(account);
  if (account->rights() == nullptr) {
    if (connection != nullptr) connection->card()->account.set(client.account);
    return false;
  }
  client.become(account);
  client.set(kUnauthenticated, false);
  return true;
}

// Changes.

Result<void> AccessControl::set_user(Bytes name, std::span<const Bytes> words) {
  const auto rules = join_selectors(words);
  if (!rules) {
    return fail(
        ErrorCode::kInvalid,
        error_text("Unmatched parenthesis in acl selector starting at '{}'.", rules.error().text));
  }
  const RuleTerms terms = users_.terms();
  const auto present = users_.find(name);
  User user = present ? *present->user : User(terms);
  for (const std::string& rule : *rules) {
    if (auto done = user.apply(rule, terms); !done) {
      return fail(ErrorCode::kInvalid,
                  error_text("Error in ACL SETUSER modifier '{}': {}", rule, done.error().text));
    }
  }
  put(name, std::move(user));
  return {};
}

void AccessControl::set_default_password(Bytes password) {
  if (password == default_password_) return;
  default_password_ = password;
  User user = *users_.default_user().user;
  const RuleTerms terms = users_.terms();
  (void)user.apply("resetpass", terms);
  (void)user.apply(password.empty() ? "nopass" : ">" + default_password_, terms);
  put(kDefaultUser, std::move(user));
}

void AccessControl::put(Bytes name, User user) {
  const auto before = users_.find(name);
  users_.put(name, std::move(user));
  rights_changed();
  if (before) end_strayed_subscribers(*users_.find(name), *before->user);
}

void AccessControl::rights_changed() {
  Gate& gate = parts_.engine.gate;
  gate.set(Gate::kAuthRequired, needs_authentication(*users_.default_user().user));
  gate.rights_changed();
}

void AccessControl::end_strayed_subscribers(const NamedUser& now, const User& before) {
  if (now.user->keeps_channels_of(before)) return;
  for (const auto& card : parts_.clients.list()) {
    if (card->account.get() == now.account && has_strayed(*card, *now.user)) {
      parts_.clients.kill(*card);
    }
  }
}

bool AccessControl::delete_user(SessionContext& context, Bytes name) {
  const auto gone = users_.find(name);
  if (!gone) return false;
  users_.remove(name);
  rights_changed();
  end_clients(context, [&](const Account& account) { return &account == gone->account.get(); });
  return true;
}

// The client that asks lives on until it has its answer, as a stranger.
void AccessControl::end_clients(SessionContext& context, FunctionRef<bool(const Account&)> which) {
  for (const auto& card : parts_.clients.list()) {
    const auto account = card->account.get();
    if (account != nullptr && which(*account)) end_client(context, parts_.clients, *card);
  }
  if (context.client.account != nullptr && which(*context.client.account)) {
    admit(context.client);
    context.client.set(kUnauthenticated, true);
  }
}

// The file.

Result<std::map<std::string, User, std::less<>>> AccessControl::read_file() const {
  const std::string path = parts_.options.acl_file.get();
  const auto text = parts_.files.read_all(path, kFileBytesMax);
  if (!text) {
    return fail(ErrorCode::kIo, fmt::format("Error loading ACLs, opening file '{}': {}", path,
                                            system_reason(text.error())));
  }
  return read_users(*text, path, users_.terms());
}

Result<void> AccessControl::load(SessionContext& context) {
  auto users = read_file();
  if (!users) return std::unexpected(users.error());
  users_.replace_all(std::move(*users));
  rights_changed();
  const auto default_account = users_.default_user().account;
  end_clients(context, [&](const Account& account) { return &account != default_account.get(); });
  return {};
}

Result<void> AccessControl::save() const {
  const auto saved =
      parts_.files.replace_all(parts_.options.acl_file.get(), write_users(users_.list()));
  if (saved) return {};
  log_warning("Saving the ACL file failed: {}", saved.error().text);
  return fail(ErrorCode::kIo,
              "There was an error trying to save the ACLs. Please check the server logs for more "
              "information");
}

}  // namespace tandem
