#include "data/set_members.h"

#include <cstdlib>
#include <cstring>

#include <malloc.h>
#include <xxhash.h>

#include "base/check.h"

namespace tandem {

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

Set::Members::~Members() {
  if (watch != nullptr) watch->finish();
  table.clear([](SetMember* member) { std::free(member); });
}

bool Set::Members::add(Bytes text) {
  const uint64_t hash = traits.hash_of(text);
  if (table.find(traits, hash, text) != nullptr) return false;
  if (watch != nullptr) watch->before_change(text, nullptr);
  SetMember* member = SetMember::create(text);
  member_bytes += malloc_usable_size(member);
  table.insert(traits, hash, member);
  return true;
}

bool Set::Members::remove(Bytes text) {
  const auto slot = table.find_slot(traits, traits.hash_of(text), text);
  if (!slot) return false;
  if (watch != nullptr) watch->before_change(text, table.entry_at(slot));
  SetMember* member = table.erase(traits, slot);
  member_bytes -= malloc_usable_size(member);
  std::free(member);
  return true;
}

}  // namespace tandem
