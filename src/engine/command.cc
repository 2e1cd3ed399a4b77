#include "engine/command.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "base/check.h"
#include "base/number.h"
#include "engine/gate.h"

namespace tandem {
namespace {

// FNV-1a over the lower-case letters: names are short, and only our own rows are in the table.
uint64_t name_hash(Bytes name) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    hash = (hash ^ byte) * 0x100000001b3ULL;
  }
  return hash ^ (hash >> 29);
}

// The first argument position of a specification, or -1.
int find_begin(const KeySpec& spec, std::span<const Bytes> args) {
  const auto count = static_cast<int>(args.size());
  if (spec.begin_keyword.empty()) return spec.begin < count ? spec.begin : -1;
  const int step = spec.begin < 0 ? -1 : 1;
  for (int i = spec.begin < 0 ? count + spec.begin : spec.begin; i > 0 && i < count; i += step) {
    if (equal_ignore_case(args[static_cast<size_t>(i)], spec.begin_keyword)) {
      return i + 1 < count ? i + 1 : -1;
    }
  }
  return -1;
}

bool add_positions(const KeySpec& spec, std::span<const Bytes> args, std::vector<int>& positions) {
  const auto count = static_cast<int>(args.size());
  const int begin = find_begin(spec, args);
  if (begin < 0) return true;  // optional keys that are not there
  int first = begin;
  int last;
  if (spec.find == KeySpec::Find::kRange) {
    last = spec.last >= 0 ? begin + spec.last : count + spec.last;
    if (spec.last < 0 && spec.limit > 1) last = begin + (count - begin) / spec.limit - 1;
  } else {
    const auto keys = parse_int64(args[static_cast<size_t>(begin + spec.count_at)]);
    first = begin + spec.first_at;
    if (!keys || *keys < 0 || *keys > (count - first) / spec.step) return false;
    last = first + static_cast<int>(*keys) * spec.step - 1;
  }
  if (last >= count) return false;
  for (int i = first; i <= last; i += spec.step) positions.push_back(i);
  return true;
}

// What engine/admission.cc asks of a row with these flags.
uint32_t judging_conditions(const CommandRow& row) {
  const uint32_t flags = row.flags;
  // What is queued decides.
  if ((flags & kRunsQueue) != 0) return ~uint32_t{0};
  uint32_t conditions = Gate::kPausedAll | Gate::kBusyScript;
  const auto add = [&conditions](bool concerned, uint32_t condition) {
    if (concerned) conditions |= condition;
  };
  const bool writes = (flags & kWrite) != 0;
  add((flags & kNoAuth) == 0, Gate::kAuthRequired);
  add((flags & kDenyOom) != 0, Gate::kOutOfMemory);
  add(writes || (flags & kReportsDiskError) != 0, Gate::kDiskError);
  add(writes, Gate::kTooFewReplicas | Gate::kReadOnlyReplica);
  add((flags & kStale) == 0, Gate::kLinkDown);
  add((flags & kLoading) == 0, Gate::kDatasetLoading);
  add((flags & (kWrite | kMayReplicate)) != 0, Gate::kPausedWrites);
  return conditions;
}

}  // namespace

bool find_key_positions(const Command& command, std::span<const Bytes> args,
                        std::vector<int>& positions) {
  bool complete = true;
  for (const KeySpec& spec : command.row.keys) {
    complete = add_positions(spec, args, positions) && complete;
  }
  return complete;
}

void find_further_key_positions(const Command& command, std::span<const Bytes> args,
                                std::vector<int>& positions) {
  for (size_t i = 1; i < command.row.keys.size(); ++i) {
    add_positions(command.row.keys[i], args, positions);
  }
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
  CHECK(command.row.scope != LockScope::kVisits || command.has(kReadOnly),
        "what is changed stripe by stripe would have no place in the log");
  command.judged_by = judging_conditions(command.row);
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
