#include "commands/operands.h"

#include <algorithm>
#include <map>
#include <ranges>

namespace tandem {
namespace {

constexpr double kScoreInSets = 1;

bool reads(Context& ctx, Bytes key, OperandTypes types, Operand& operand) {
  const Entry* entry = ctx.keys.read(key);
  if (entry == nullptr) return true;
  if (entry->type() == ValueType::kSet) {
    operand = Operand(&entry->as<Set>());
    return true;
  }
  if (entry->type() != ValueType::kSortedSet || types == OperandTypes::kSets) return false;
  operand = Operand(&entry->as<SortedSet>());
  return true;
}

}  // namespace

size_t Operand::size() const {
  if (set_ != nullptr) return set_->size();
  return sorted_set_ != nullptr ? sorted_set_->size() : 0;
}

std::optional<double> Operand::score(Bytes member) const {
  if (sorted_set_ != nullptr) return sorted_set_->score(member);
  if (set_ == nullptr || !set_->contains(member)) return std::nullopt;
  return kScoreInSets;
}

void Operand::for_each(FunctionRef<bool(Bytes, double)> visit) const {
  if (sorted_set_ != nullptr) return sorted_set_->for_each(visit);
  if (set_ != nullptr) set_->for_each([&](Bytes member) { return visit(member, kScoreInSets); });
}

std::optional<Operands> read_operands(Context& ctx, std::span<const Bytes> keys,
                                      OperandTypes types) {
  Operands operands(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (reads(ctx, keys[i], types, operands[i])) continue;
    ctx.reply.error(kWrongType);
    return std::nullopt;
  }
  return operands;
}

void put_smallest_first(Operands& operands) {
  std::multimap<size_t, Operand> by_size;  // of one size: in their order
  for (const Operand& operand : operands) by_size.emplace(operand.size(), operand);
  std::ranges::copy(std::views::values(by_size), operands.begin());
}

void intersect(std::span<const Operand> operands, CommonMember visit) {
  std::vector<double> scores(operands.size());
  operands.front().for_each([&](Bytes member, double score) {
    scores[0] = score;
    for (size_t i = 1; i < operands.size(); ++i) {
      const std::optional<double> other = operands[i].score(member);
      if (!other) return true;
      scores[i] = *other;
    }
    return visit(member, scores);
  });
}

uint64_t count_common(Operands& operands, uint64_t limit) {
  put_smallest_first(operands);
  uint64_t count = 0;
  intersect(operands, [&](Bytes, auto) { return ++count != limit; });
  return count;
}

// Members of the first are looked up in the others, at about half the price of adding a member; or
// all are added, and what the others have is removed.
void subtract(std::span<const Operand> operands, FunctionRef<void(Bytes, double)> add,
              FunctionRef<void(Bytes)> remove) {
  const Operand& first = operands.front();
  const auto others = operands.subspan(1);
  size_t members = 0;
  for (const Operand& operand : operands) members += operand.size();
  const bool looks_up = first.size() * operands.size() / 2 <= members;
  first.for_each([&](Bytes member, double score) {
    const auto has_it = [&](const Operand& other) { return other.score(member).has_value(); };
    if (!looks_up || std::ranges::none_of(others, has_it)) add(member, score);
    return true;
  });
  if (looks_up || first.size() == 0) return;
  for (const Operand& other : others) {
    other.for_each([&](Bytes member, double) {
      remove(member);
      return true;
    });
  }
}

}  // namespace tandem
