#include "engine/command.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "base/check.h"
#include "base/number.h"
#include "engine/gate.h"

namespace tandem {
namespace {

// Of the length and three of the letters: only our own rows are in the table, and what is found
// there is compared. Bit 5 tells small letters from capitals.
uint64_t name_hash(Bytes name) {
  if (name.empty()) return 0;
  const auto letter = [name](size_t at) { return static_cast<uint64_t>(name[at] | 0x20) & 0xFF; };
  const uint64_t mixed =
      name.size() | letter(0) << 8 | letter(name.size() / 2) << 16 | letter(name.size() - 1) << 24;
  return mixed * 0x9E3779B97F4A7C15ULL >> 40;
}

// What engine/admission.cc asks of a row with these flags.
uint64_t judging_conditions(const CommandRow& row) {
  const uint32_t flags = row.flags;
  // What is queued decides, or the arguments.
  if ((flags & kRunsQueue) != 0 || row.flags_of != nullptr) return ~uint64_t{0};
  // Lack of memory keeps from a transaction what it does not keep from being executed.
  uint64_t conditions = Gate::kPausedAll | Gate::kBusyScript | Gate::kOutOfMemory;
  const auto add = [&conditions](bool concerned, uint64_t condition) {
    if (concerned) conditions |= condition;
  };
  const bool writes = (flags & kWrite) != 0;
  add((flags & kNoAuth) == 0, kUnauthenticated | kLimited | Gate::rights_version(~uint64_t{0}));
  add((flags & kWhileSubscribed) == 0, kSubscribed);
  add((flags & kMeetsKeys) != 0, kMonitors);
  add(writes || (flags & kReportsDiskError) != 0, Gate::kDiskError);
  add(writes, Gate::kTooFewReplicas | Gate::kReadOnlyReplica);
  add((flags & kStale) == 0, Gate::kLinkDown);
  add((flags & kLoading) == 0, Gate::kDatasetLoading);
  add((flags & (kWrite | kMayReplicate)) != 0, Gate::kPausedWrites);
  return conditions;
}

uint32_t category(std::string_view name) {
  const uint32_t bit = category_bit(name);
  CHECK(bit != 0, "a row's category is a known one");
  return bit;
}

// Those that a row states, or its group's by the category's name. Pubsub's comes with the flag.
uint32_t own_categories(const CommandRow& row) {
  uint32_t own = 0;
  for (std::string_view left = row.categories; !left.empty();) {
    own |= category(take_word(left));
  }
  if (own != 0) return own;
  if (row.group == "sorted-set") return category("sortedset");
  if (row.group == "generic") return category("keyspace");
  if (row.group == "transactions") return category("transaction");
  return row.group != "pubsub" ? category_bit(row.group) : 0;
}

uint32_t categories_of(const CommandRow& row, bool is_container) {
  uint32_t all = is_container && row.categories.empty() ? 0 : own_categories(row);
  const auto add = [&](bool concerned, std::string_view name) {
    if (concerned) all |= category(name);
  };
  const auto has = [&](uint32_t flag) { return (row.flags & flag) != 0; };
  add(has(kWrite), "write");
  add(has(kReadOnly) && row.group != "scripting", "read");
  add(has(kAdmin), "admin");
  add(has(kAdmin), "dangerous");
  add(has(kPubSub), "pubsub");
  add(has(kBlocking), "blocking");
  add(true, has(kFast) ? "fast" : "slow");
  return all;
}

}  // namespace

uint32_t category_bit(Bytes name) {
  for (size_t at = 0; at < std::size(kCategoryNames); ++at) {
    if (equal_ignore_case(kCategoryNames[at], name)) return 1u << at;
  }
  return 0;
}

void add_rows(std::vector<CommandRow>& rows, std::vector<CommandRow> more) {
  for (CommandRow& row : more) {
    const auto same = std::ranges::find(rows, row.name, &CommandRow::name);
    if (same == rows.end()) {
      rows.push_back(std::move(row));
      continue;
    }
    for (CommandRow& subcommand : row.subcommands) {
      auto& present = same->subcommands;
      std::erase_if(present, [&](const CommandRow& own) { return own.name == subcommand.name; });
      present.push_back(std::move(subcommand));
    }
  }
}

Registry& Registry::add(std::vector<CommandRow> rows) {
  CHECK(commands_.empty(), "a registry is filled once");
  for (CommandRow& row : rows) commands_.push_back(compile(std::move(row), ""));
  fill_slots();
  return *this;
}

void Registry::fill_slots() {
  slots_.assign(std::bit_ceil(commands_.size() * 4 + 1), nullptr);
  for (const Command* command : commands_) {
    CHECK(find(command->called) == nullptr, "a command has one row");
    size_t slot = name_hash(command->called) & (slots_.size() - 1);
    while (slots_[slot] != nullptr) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = command;
  }
}

Result<void> Registry::rename(Bytes from, Bytes to) {
  const Command* command = find(from);
  if (command == nullptr) {
    return fail(ErrorCode::kInvalid, "No such command in rename-command");
  }
  if (const Command* other = find(to); other != nullptr && other != command) {
    return fail(ErrorCode::kInvalid, "Target command name already exists");
  }
  storage_[static_cast<size_t>(command->id)].called = to;
  if (to.empty()) std::erase(commands_, command);
  fill_slots();
  return {};
}

const Command* Registry::compile(CommandRow row, const std::string& prefix) {
  Command& command = storage_.emplace_back();
  command.id = static_cast<int>(storage_.size()) - 1;
  command.full_name = prefix + std::string(row.name);
  command.called = row.name;
  std::vector<CommandRow> subcommands = std::move(row.subcommands);
  command.row = std::move(row);
  CHECK((command.row.scope == LockScope::kByArguments) == (command.row.scope_of != nullptr),
        "a scope by arguments is told by a function, and no other is");
  CHECK(command.row.scope != LockScope::kVisits || !command.has(kWrite | kMayReplicate),
        "what is changed stripe by stripe would have no place in the log");
  if (command.has(kFast)) command.row.flags |= kBrief;
  if (command.row.channels != ChannelUse::kNone) command.row.flags |= kNamesChannels;
  command.judged_by = judging_conditions(command.row);
  command.categories = categories_of(command.row, !subcommands.empty());
  if (command.row.keys.size() == 1) command.only_key_at = command.row.keys[0].fixed_position();
  for (CommandRow& subcommand : subcommands) {
    command.subcommands.push_back(compile(std::move(subcommand), command.full_name + "|"));
  }
  return &command;
}

const Command* Registry::find(Bytes name) const {
  for (size_t slot = name_hash(name) & (slots_.size() - 1); slots_[slot] != nullptr;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (equal_ignore_case(slots_[slot]->called, name)) return slots_[slot];
  }
  return nullptr;
}

const Command* Registry::find_original(Bytes name) const {
  const auto found = std::ranges::find(storage_, name, &Command::full_name);
  return found == storage_.end() ? nullptr : &*found;
}

const Command* Registry::find_full(Bytes name) const {
  const size_t bar = name.find('|');
  const Command* command = find(name.substr(0, bar));
  if (bar == name.npos || command == nullptr) return command;
  for (const Command* subcommand : command->subcommands) {
    if (equal_ignore_case(subcommand->full_name, name)) return subcommand;
  }
  return nullptr;
}

const Command* Registry::resolve(std::span<const Bytes> args) const {
  const Command* command = find(args[0]);
  if (command == nullptr || command->subcommands.empty() || args.size() < 2) return command;
  for (const Command* subcommand : command->subcommands) {
    if (equal_ignore_case(subcommand->row.name, args[1])) return subcommand;
  }
  return nullptr;
}

}  // namespace tandem
