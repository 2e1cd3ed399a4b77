#include "acl/user.h"

#include <algorithm>

#include "acl/password.h"
#include "resp/request.h"

namespace tandem {

User::User(const RuleTerms& terms) { selectors_.emplace_back(terms); }

User User::unrestricted(const RuleTerms& terms) {
  User user(terms);
  for (const Bytes rule : {"on", "nopass", "~*", "&*", "+@all"}) (void)user.apply(rule, terms);
  return user;
}

Result<void> User::apply(Bytes rule, const RuleTerms& terms) {
  if (rule.empty()) return {};
  const auto is = [rule](Bytes word) { return equal_ignore_case(rule, word); };
  if (is("on") || is("off")) {
    on_ = is("on");
  } else if (is("nopass") || is("resetpass")) {
    any_password_ = is("nopass");
    password_hashes_.clear();
  } else if (is("sanitize-payload") || is("skip-sanitize-payload")) {
    sanitizes_payload_ = is("sanitize-payload");
  } else if (is("clearselectors")) {
    selectors_.erase(selectors_.begin() + 1, selectors_.end());
  } else if (is("reset")) {
    *this = User(terms);
  } else if (rule[0] == '>') {
    return add_password(password_hash(rule.substr(1)));
  } else if (rule[0] == '#') {
    return add_password(std::string(rule.substr(1)));
  } else if (rule[0] == '<') {
    return remove_password(password_hash(rule.substr(1)));
  } else if (rule[0] == '!') {
    return remove_password(rule.substr(1));
  } else if (rule[0] == '(' && rule.ends_with(')')) {
    return add_selector(rule.substr(1, rule.size() - 2), terms);
  } else {
    return selectors_.front().apply(rule, terms);
  }
  return {};
}

namespace {

std::unexpected<Error> no_password_hash() {
  return fail(ErrorCode::kInvalid,
              "The password hash must be exactly 64 characters and contain only lowercase "
              "hexadecimal characters");
}

}  // namespace

Result<void> User::add_password(std::string hash) {
  if (!is_password_hash(hash)) return no_password_hash();
  if (std::ranges::find(password_hashes_, hash) == password_hashes_.end()) {
    password_hashes_.push_back(std::move(hash));
  }
  any_password_ = false;
  return {};
}

Result<void> User::remove_password(Bytes hash) {
  if (!is_password_hash(hash)) return no_password_hash();
  if (std::erase(password_hashes_, hash) != 0) return {};
  return fail(ErrorCode::kInvalid,
              "The password you are trying to remove from the user does not exist");
}

// Quotes that do not match leave nothing of the rules, as in Redis.
Result<void> User::add_selector(Bytes rules, const RuleTerms& terms) {
  std::string storage;
  std::vector<Bytes> words;
  (void)split_arguments(rules, storage, words);
  Selector selector(terms);
  for (const Bytes word : words) {
    if (auto done = selector.apply(word, terms); !done) return done;
  }
  selectors_.push_back(std::move(selector));
  return {};
}

bool User::accepts(Bytes password) const {
  if (!on_) return false;
  if (any_password_) return true;
  const std::string hash = password_hash(password);
  return std::ranges::any_of(password_hashes_,
                             [&](Bytes own) { return same_password_hash(own, hash); });
}

bool User::are_unlimited() const {
  return std::ranges::any_of(selectors_, &Selector::is_unlimited);
}

std::optional<Denial> User::denial(const Command& command, std::span<const Bytes> args) const {
  AskedCall call(command, args);
  Denial told;
  for (const Selector& selector : selectors_) {
    const auto denied = selector.denial(call);
    if (!denied) return std::nullopt;
    told = std::max(told, *denied);
  }
  return told;
}

bool User::may_read_any_key(const Command& command, std::span<const Bytes> args) const {
  const AskedCall call(command, args);
  return std::ranges::any_of(
      selectors_, [&](const Selector& selector) { return selector.allows_any_key_read(call); });
}

bool User::allows_channel(Bytes name, bool is_pattern) const {
  return std::ranges::any_of(selectors_, [&](const Selector& selector) {
    return selector.allows_channel(name, is_pattern);
  });
}

bool User::keeps_channels_of(const User& before) const {
  if (std::ranges::any_of(selectors_, &Selector::has_all_channels)) return true;
  const auto keeps = [this](const std::string& glob) {
    return std::ranges::any_of(selectors_, [&](const Selector& selector) {
      return std::ranges::find(selector.channels(), glob) != selector.channels().end();
    });
  };
  return std::ranges::all_of(before.selectors_, [&](const Selector& earlier) {
    return !earlier.has_all_channels() && std::ranges::all_of(earlier.channels(), keeps);
  });
}

std::vector<Bytes> User::flags() const {
  std::vector<Bytes> flags{on_ ? "on" : "off"};
  if (any_password_) flags.push_back("nopass");
  flags.push_back(sanitizes_payload_ ? "sanitize-payload" : "skip-sanitize-payload");
  return flags;
}

std::string User::rules() const {
  std::string text;
  for (const Bytes flag : flags()) text.append(flag).append(" ");
  for (const std::string& hash : password_hashes_) text.append("#").append(hash).append(" ");
  text += selectors_.front().rules();
  for (const Selector& selector : std::span(selectors_).subspan(1)) {
    text.append(" (").append(selector.rules()).append(")");
  }
  return text;
}

Result<std::vector<std::string>> join_selectors(std::span<const Bytes> words) {
  std::vector<std::string> joined;
  std::optional<Bytes> open;  // the first word of a selector that is not at its end
  for (const Bytes word : words) {
    if (open) {
      joined.back().append(" ").append(word);
    } else {
      joined.emplace_back(word);
    }
    if (!open && word.starts_with('(') && !word.ends_with(')')) {
      open = word;
    } else if (open && word.ends_with(')')) {
      open.reset();
    }
  }
  if (open) return fail(ErrorCode::kInvalid, std::string(*open));
  return joined;
}

}  // namespace tandem
