// Which form a member fits is decided in add(); everything else asks the form that there is.
#include "data/set.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include <malloc.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/check.h"
#include "data/element_walk.h"
#include "data/hash_table.h"
#include "data/listpack.h"
#include "data/sample.h"

namespace tandem {
namespace {

constexpr size_t kIntsetEntriesMax = size_t{1} << 30;  // whatever the configuration says

size_t intset_limit(const EncodingLimits& limits) {
  return std::min(limits.set_max_intset_entries, kIntsetEntriesMax);
}

// A member: this header, then its bytes.
struct SetMember {
  uint32_t size;

  Bytes text() const { return Bytes(reinterpret_cast<const char*>(this + 1), size); }
  static SetMember* create(Bytes text);
};

struct SetMemberTraits {
  using Entry = SetMember;
  using Key = Bytes;

  uint64_t seed;

  uint64_t hash_of(Bytes text) const;
  uint64_t hash(const SetMember& member) const { return hash_of(member.text()); }
  bool equals(const SetMember& member, Bytes text) const { return member.text() == text; }
};

SetMember* SetMember::create(Bytes text) {
  auto* member = static_cast<SetMember*>(std::malloc(sizeof(SetMember) + text.size()));
  CHECK(member != nullptr, "out of memory");
  member->size = static_cast<uint32_t>(text.size());
  if (!text.empty()) std::memcpy(member + 1, text.data(), text.size());
  return member;
}

uint64_t SetMemberTraits::hash_of(Bytes text) const {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace

// The large form: a hash table with one allocation a member.
struct Set::Members {
  explicit Members(uint64_t seed) : traits{seed} {}
  ~Members();
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  bool add(Bytes text);
  bool remove(Bytes text);
  bool contains(Bytes text) const {
    return table.find(traits, traits.hash_of(text), text) != nullptr;
  }

  SetMemberTraits traits;
  HashTable<SetMemberTraits> table;
  size_t member_bytes = 0;  // as allocated
  mutable WalkHook<SetMember>* walk_hook = nullptr;
};

Set::Members::~Members() {
  if (walk_hook != nullptr) walk_hook->finish();
  table.clear([](SetMember* member) { std::free(member); });
}

bool Set::Members::add(Bytes text) {
  const uint64_t hash = traits.hash_of(text);
  if (table.find(traits, hash, text) != nullptr) return false;
  if (walk_hook != nullptr) walk_hook->before_change(text, nullptr);
  SetMember* member = SetMember::create(text);
  member_bytes += malloc_usable_size(member);
  table.insert(traits, hash, member);
  return true;
}

bool Set::Members::remove(Bytes text) {
  const auto slot = table.find_slot(traits, traits.hash_of(text), text);
  if (!slot) return false;
  if (walk_hook != nullptr) walk_hook->before_change(text, table.entry_at(slot));
  SetMember* member = table.erase(traits, slot);
  member_bytes -= malloc_usable_size(member);
  std::free(member);
  return true;
}

Set::Set() = default;
Set::~Set() = default;
Set::Set(Set&& other) noexcept = default;
Set& Set::operator=(Set&& other) noexcept = default;

Set::Set(Bytes first_member, size_t expected, const EncodingLimits& limits) {
  if (parse_int64(first_member) && expected <= limits.set_max_intset_entries) return;
  if (expected <= limits.set_max_listpack_entries) {
    form_ = Listpack();
  } else {
    become_hash_table(limits);
  }
}

Result<Set> Set::from_intset(Bytes blob, const EncodingLimits& limits) {
  Result<Intset> integers = Intset::from_bytes(blob);
  if (!integers) return std::unexpected(integers.error());
  const uint32_t size = integers->size();
  if (size == 0) return fail(ErrorCode::kInvalid, "empty set");
  Set set;
  set.form_ = std::move(*integers);
  if (size > limits.set_max_intset_entries) set.become_hash_table(limits);
  return set;
}

Result<Set> Set::from_listpack(Bytes blob, const EncodingLimits& limits) {
  Result<Listpack> pack = Listpack::from_bytes(blob);
  if (!pack) return std::unexpected(pack.error());
  if (!entries_are_distinct(pack->view(), 1)) {
    return fail(ErrorCode::kInvalid, "a set with a member twice");
  }
  const uint32_t size = pack->count();
  Set set;
  set.form_ = std::move(*pack);
  if (size > limits.set_max_listpack_entries) set.become_hash_table(limits);
  return set;
}

size_t Set::size() const {
  if (const Intset* integers = intset()) return integers->size();
  if (const Listpack* pack = listpack()) return pack->count();
  return std::get<2>(form_)->table.size();
}

Bytes Set::encoding_name() const {
  constexpr Bytes kNames[] = {"intset", "listpack", "hashtable"};
  return kNames[form_.index()];
}

size_t Set::memory_bytes() const {
  if (const Intset* integers = intset()) return sizeof(*this) + integers->memory_bytes();
  if (const Listpack* pack = listpack()) return sizeof(*this) + pack->memory_bytes();
  const Members& members = *std::get<2>(form_);
  return sizeof(*this) + sizeof(members) + members.table.memory_bytes() + members.member_bytes;
}

std::unique_ptr<Set::Members> Set::as_hash_table(uint64_t seed) const {
  auto members = std::make_unique<Members>(seed);
  for_each([&](Bytes member) {
    members->add(member);
    return true;
  });
  return members;
}

Set::Members& Set::become_hash_table(const EncodingLimits& limits) {
  form_ = as_hash_table(limits.hash_seed);
  return *std::get<2>(form_);
}

Set Set::copy() const {
  Set copied;
  if (const Intset* integers = intset()) {
    copied.form_ = *integers;
  } else if (const Listpack* pack = listpack()) {
    copied.form_ = pack->copy();
  } else {
    copied.form_ = as_hash_table(std::get<2>(form_)->traits.seed);
  }
  return copied;
}

void Set::reserve(size_t expected, const EncodingLimits& limits) {
  if ((intset() != nullptr && expected > limits.set_max_intset_entries) ||
      (listpack() != nullptr && expected > limits.set_max_listpack_entries)) {
    become_hash_table(limits);
  }
}

bool Set::add(Bytes member, const EncodingLimits& limits) {
  if (intset() != nullptr) return add_to_intset(member, limits);
  if (listpack() != nullptr) return add_to_listpack(member, limits);
  return std::get<2>(form_)->add(member);
}

bool Set::add_to_intset(Bytes member, const EncodingLimits& limits) {
  auto& integers = std::get<Intset>(form_);
  if (const std::optional<int64_t> integer = parse_int64(member)) {
    if (!integers.add(*integer)) return false;
    if (integers.size() > intset_limit(limits)) become_hash_table(limits);
    return true;
  }
  const uint32_t size = integers.size();
  char digits[kInt64TextMax];
  size_t longest = 0;
  if (size != 0) {
    longest =
        std::max(write_int64(digits, integers.at(0)), write_int64(digits, integers.at(size - 1)));
  }
  if (size >= limits.set_max_listpack_entries ||
      std::max(member.size(), longest) > limits.set_max_listpack_value_bytes ||
      !Listpack().can_grow(longest * size + member.size())) {
    return become_hash_table(limits).add(member);
  }
  Listpack pack;
  for (uint32_t i = 0; i < size; ++i) pack.append_integer(integers.at(i));
  pack.append(member);
  form_ = std::move(pack);
  return true;
}

bool Set::add_to_listpack(Bytes member, const EncodingLimits& limits) {
  auto& pack = std::get<Listpack>(form_);
  const ListpackView entries = pack.view();
  if (entries.find(member, entries.first()) != entries.end()) return false;
  if (entries.count() >= limits.set_max_listpack_entries ||
      member.size() > limits.set_max_listpack_value_bytes || !pack.can_grow(member.size())) {
    return become_hash_table(limits).add(member);
  }
  pack.append(member);
  return true;
}

bool Set::remove(Bytes member) {
  if (auto* integers = std::get_if<Intset>(&form_)) {
    const std::optional<int64_t> integer = parse_int64(member);
    return integer && integers->remove(*integer);
  }
  if (auto* pack = std::get_if<Listpack>(&form_)) {
    const ListpackView entries = pack->view();
    const auto found = entries.find(member, entries.first());
    if (found == entries.end()) return false;
    pack->erase(found);
    return true;
  }
  return std::get<2>(form_)->remove(member);
}

bool Set::contains(Bytes member) const {
  if (const Intset* integers = intset()) {
    const std::optional<int64_t> integer = parse_int64(member);
    return integer && integers->contains(*integer);
  }
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    return entries.find(member, entries.first()) != entries.end();
  }
  return std::get<2>(form_)->contains(member);
}

void Set::become_intset_if_possible(const EncodingLimits& limits) {
  if (intset() != nullptr || is_walked() || size() > intset_limit(limits)) return;
  Intset integers;
  bool all = true;
  for_each([&](Bytes member) {
    const std::optional<int64_t> integer = parse_int64(member);
    if (integer) integers.add(*integer);
    return all = integer.has_value();
  });
  if (all) form_ = std::move(integers);
}

Element Set::random_member(Random& random) const {
  if (const Intset* integers = intset()) {
    return Element(integers->at(static_cast<uint32_t>(random.below(integers->size()))));
  }
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    return entries.get(entries.seek(static_cast<int64_t>(random.below(entries.count()))));
  }
  return Element(std::get<2>(form_)->table.random_entry(random)->text());
}

// A listpack has no cheaper way to a member than a walk.
size_t Set::sample(size_t count, Random& random, FunctionRef<void(Bytes)> visit) const {
  if (listpack() != nullptr || !draws_are_cheaper(count, size())) {
    return sample_by_walk(*this, count, random, visit);
  }
  if (const Intset* integers = intset()) {
    return sample_by_draws(
        count, [&] { return random.below(integers->size()); },
        [&](uint64_t place) {
          const Element element(integers->at(static_cast<uint32_t>(place)));
          visit(element.text());
        });
  }
  const auto& table = std::get<2>(form_)->table;
  return sample_by_draws(
      count, [&] { return table.random_entry(random); },
      [&](const SetMember* member) { visit(member->text()); });
}

void Set::for_each(FunctionRef<bool(Bytes)> visit) const {
  if (const Intset* integers = intset()) {
    for (uint32_t i = 0; i < integers->size(); ++i) {
      const Element element(integers->at(i));
      if (!visit(element.text())) return;
    }
    return;
  }
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    for (auto at = entries.first(); at != entries.end(); at = entries.next(at)) {
      const Element element = entries.get(at);
      if (!visit(element.text())) return;
    }
    return;
  }
  const auto& table = std::get<2>(form_)->table;
  bool go_on = true;
  for (uint32_t i = 0; i < table.bucket_count() && go_on; ++i) {
    table.for_each_in_chain(table.bucket_at(i), [&](const SetMember* member, bool) {
      go_on = go_on && visit(member->text());
    });
  }
}

namespace {

struct MemberNames {
  static Bytes of(const SetMember& member) { return member.text(); }
};

}  // namespace

std::unique_ptr<ElementWalk> Set::walk(std::function<void(Bytes)> visit) const {
  if (form_.index() != 2 || !is_large(size(), memory_bytes())) return nullptr;
  const Members& members = *std::get<2>(form_);
  using Walk = OrderedWalk<TableOrder<SetMemberTraits, MemberNames>>;
  return std::make_unique<Walk>(
      members.walk_hook, TableOrder<SetMemberTraits, MemberNames>(members.traits, members.table),
      [tell = std::move(visit)](const SetMember& member) { tell(member.text()); });
}

bool Set::is_walked() const {
  return form_.index() == 2 && std::get<2>(form_)->walk_hook != nullptr;
}

uint64_t Set::scan(uint64_t cursor, FunctionRef<void(Bytes)> visit) const {
  if (form_.index() != 2) {
    for_each([&](Bytes member) {
      visit(member);
      return true;
    });
    return 0;
  }
  return std::get<2>(form_)->table.scan(
      cursor, [&](const SetMember* member, bool) { visit(member->text()); });
}

}  // namespace tandem
