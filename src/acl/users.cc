#include "acl/users.h"

#include <fmt/format.h>

namespace tandem {

Users::Users(const Registry& commands, const Option<bool>& all_channels)
    : commands_(commands), all_channels_(all_channels) {
  put(kDefaultUser, User::unrestricted(terms()));
}

std::optional<NamedUser> Users::find(Bytes name) const {
  const Guard guard(lock_);
  const auto found = users_.find(name);
  if (found == users_.end()) return std::nullopt;
  return NamedUser{found->second.account, found->second.user};
}

std::vector<NamedUser> Users::list() const {
  const Guard guard(lock_);
  std::vector<NamedUser> all;
  for (const auto& [name, entry] : users_) all.push_back({entry.account, entry.user});
  return all;
}

NamedUser Users::default_user() const { return *find(kDefaultUser); }

std::shared_ptr<const Account> Users::log_in(Bytes name, Bytes password) const {
  const auto named = find(name);
  return named && named->user->accepts(password) ? named->account : nullptr;
}

std::shared_ptr<const Account> Users::put(Bytes name, User user) {
  const Guard guard(lock_);
  return put_locked(name, std::move(user));
}

std::shared_ptr<const Account> Users::put_locked(Bytes name, User user) {
  const auto shared = std::make_shared<const User>(std::move(user));
  Entry& entry = users_.try_emplace(std::string(name)).first->second;
  if (entry.account == nullptr)
    entry.account = std::make_shared<Account>(std::string(name), shared);
  entry.account->set_rights(shared);
  entry.user = shared;
  return entry.account;
}

bool Users::remove(Bytes name) {
  const Guard guard(lock_);
  const auto found = users_.find(name);
  if (found == users_.end()) return false;
  found->second.account->set_rights(nullptr);
  users_.erase(found);
  return true;
}

void Users::replace_all(std::map<std::string, User, std::less<>> users) {
  users.try_emplace(std::string(kDefaultUser), User::unrestricted(terms()));
  const Guard guard(lock_);
  std::erase_if(users_, [](const auto& present) {
    if (present.first == kDefaultUser) return false;
    present.second.account->set_rights(nullptr);
    return true;
  });
  for (auto& [name, user] : users) put_locked(name, std::move(user));
}

std::string user_line(const NamedUser& user) {
  return fmt::format("user {} {}", user.account->name, user.user->rules());
}

// Files.

namespace {

// Without the characters at both ends.
Bytes trim(Bytes text, Bytes what) {
  const size_t start = text.find_first_not_of(what);
  if (start == text.npos) return {};
  return text.substr(start, text.find_last_not_of(what) - start + 1);
}

std::vector<Bytes> split(Bytes text, char separator) {
  std::vector<Bytes> parts;
  for (size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1)) {
    parts.push_back(text.substr(0, end));
  }
  parts.push_back(text);
  return parts;
}

// One line: where it stands, and the complaints about it.
struct UserLine {
  Bytes path;
  size_t number;
  std::string complaints = {};

  template <class... Args>
  void complain(fmt::format_string<Args...> text, Args&&... args) {
    complaints += fmt::format(text, std::forward<Args>(args)...);
  }
};

User read_rules(std::span<const Bytes> words, UserLine& line, const RuleTerms& terms) {
  User user(terms);
  const auto rules = join_selectors(words);
  if (!rules) {
    line.complain("{}:{}: Unmatched parenthesis in selector definition.", line.path, line.number);
    return user;
  }
  bool told = false;
  for (const std::string& rule : *rules) {
    const Bytes trimmed = trim(rule, "\t\r\n");
    const auto done = user.apply(trimmed, terms);
    if (done) continue;
    // What a name is missing tells no secret; of all else the first may have led to the others.
    if (done.error().code == ErrorCode::kUnsupported) {
      line.complain("{}:{}: Error in applying operation '{}': {}. ", line.path, line.number,
                    trimmed, done.error().text);
    } else if (!std::exchange(told, true)) {
      line.complain("{}:{}: {}. ", line.path, line.number, done.error().text);
    }
  }
  return user;
}

}  // namespace

Result<std::map<std::string, User, std::less<>>> read_users(Bytes text, Bytes path,
                                                            const RuleTerms& terms) {
  std::map<std::string, User, std::less<>> users;
  std::string complaints;
  size_t number = 0;
  for (const Bytes raw : split(text, '\n')) {
    UserLine line{.path = path, .number = ++number};
    const Bytes content = trim(raw, " \t\r\n");
    if (content.empty()) continue;
    const std::vector<Bytes> words = split(content, ' ');
    if (words[0] != "user" || words.size() < 2) {
      line.complain("{}:{} should start with user keyword followed by the username. ", path,
                    number);
    } else if (const Bytes name = words[1]; !is_rule_word(name)) {
      line.complain("'{}:{}: username '{}' contains invalid characters. ", path, number, name);
    } else if (users.contains(name)) {
      line.complain("WARNING: Duplicate user '{}' found on line {}. ", name, number);
    } else {
      users.emplace(name, read_rules(std::span(words).subspan(2), line, terms));
    }
    complaints += line.complaints;
  }
  if (complaints.empty()) return users;
  return fail(ErrorCode::kInvalid,
              complaints +
                  "WARNING: ACL errors detected, no change to the previously active ACL "
                  "rules was performed");
}

std::string write_users(std::span<const NamedUser> users) {
  std::string text;
  for (const NamedUser& user : users) text.append(user_line(user)).append("\n");
  return text;
}

}  // namespace tandem
