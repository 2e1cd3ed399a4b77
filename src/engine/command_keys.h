// Where a command's keys are among its arguments, and what it does with them: Redis 7's key
// specifications. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace tandem {

// Takes the first word off a text of words with single blanks between them.
constexpr std::string_view take_word(std::string_view& words) {
  const std::string_view word = words.substr(0, words.find(' '));
  words.remove_prefix(word.size() + (word.size() < words.size() ? 1 : 0));
  return word;
}

// What a command does with a key, as bits. Rows state it in the protocol's words.
class KeyUse {
 public:
  enum Bit : uint16_t {
    // Of these one: the value is read, read and changed, overwritten, or removed.
    kReadsOnly = 1u << 0,
    kReadsAndWrites = 1u << 1,
    kOverwrites = 1u << 2,
    kRemoves = 1u << 3,
    // About what users store, not about what the server knows of it: given back or copied;
    // changed; added to; deleted.
    kAccesses = 1u << 4,
    kUpdates = 1u << 5,
    kInserts = 1u << 6,
    kDeletes = 1u << 7,
    // About the specification itself: it tells a place that is no key; there are keys that it does
    // not tell; a call may do less (KeySpec::milder).
    kNoKey = 1u << 8,
    kIncomplete = 1u << 9,
    kVariable = 1u << 10,
  };
  struct Word {
    Bit bit;
    std::string_view word;
  };
  // In the order in which COMMAND tells them.
  static constexpr Word kWords[] = {{kReadsOnly, "RO"},           {kReadsAndWrites, "RW"},
                                    {kOverwrites, "OW"},          {kRemoves, "RM"},
                                    {kAccesses, "access"},        {kUpdates, "update"},
                                    {kInserts, "insert"},         {kDeletes, "delete"},
                                    {kNoKey, "not_key"},          {kIncomplete, "incomplete"},
                                    {kVariable, "variable_flags"}};

  constexpr KeyUse() = default;
  // "RW access update". What is no word does not compile.
  template <size_t N>
  consteval KeyUse(const char (&words)[N]) : bits_(parse({words, N - 1})) {}

  constexpr bool has(Bit bit) const { return (bits_ & bit) != 0; }
  constexpr KeyUse without(Bit bit) const { return KeyUse(bits_ & ~bit); }
  std::vector<std::string_view> words() const;

 private:
  explicit constexpr KeyUse(int bits) : bits_(static_cast<uint16_t>(bits)) {}
  static consteval uint16_t parse(std::string_view words) {
    uint16_t bits = 0;
    while (!words.empty()) {
      bits = static_cast<uint16_t>(bits | bit_of(take_word(words)));
    }
    return bits;
  }
  static consteval uint16_t bit_of(std::string_view word) {
    for (const Word& known : kWords) {
      if (known.word == word) return known.bit;
    }
    throw "no word of key specifications";
  }

  uint16_t bits_ = 0;
};

// One run of keys.
struct KeySpec {
  enum class Find : uint8_t { kRange, kKeyCount, kUnknown };

  KeyUse use = {};
  // The first key's position, or with a keyword where the search for it starts (< 0: from the end).
  int begin = 0;
  std::string_view begin_keyword = {};  // "STREAMS": keys begin after this word
  bool repeats = false;                 // the word may come again, with keys of its own
  Find find = Find::kRange;
  // kRange: the last key relative to the first (-1: the last argument, -2: the one before ...), the
  // step between keys, and a limit: 2 means that the first half of what is left are keys.
  int last = 0;
  int step = 1;
  int limit = 0;
  // kKeyCount: where the count stands and where the first key stands, relative to begin.
  int count_at = 0;
  int first_at = 1;
  // What COMMAND cannot describe: the position of the key among these arguments, of a range its
  // first, 0 where there is none. Null with kUnknown: only who executes the command knows (the keys
  // that SORT's patterns name).
  int (*position_in)(std::span<const Bytes> args) = nullptr;
  // With "variable_flags": the use in a call without any of `words` from position `from` on.
  struct Milder {
    KeyUse use = {};
    std::string_view words = {};  // "GET", or several with blanks between them
    int from = 0;
  } milder = {};

  // The same position in each call that has it; 0: that depends.
  constexpr int fixed_position() const {
    const bool one = find == Find::kRange && begin_keyword.empty() && last == 0;
    return one && begin > 0 && position_in == nullptr && tells_keys() ? begin : 0;
  }
  constexpr bool tells_keys() const { return !use.has(KeyUse::kNoKey); }
};

constexpr KeySpec key_at(int position, KeyUse use) { return {.use = use, .begin = position}; }
constexpr KeySpec keys_range(int first, int last, int step, KeyUse use) {
  return {.use = use, .begin = first, .last = last, .step = step};
}
constexpr KeySpec keys_counted(int count_position, KeyUse use) {
  return {.use = use, .begin = count_position, .find = KeySpec::Find::kKeyCount};
}

// Keys that depend on what other keys hold.
constexpr KeySpec keys_unknown(KeyUse use) { return {.use = use, .find = KeySpec::Find::kUnknown}; }
constexpr KeySpec key_found_by(int (*position_in)(std::span<const Bytes>), KeyUse use) {
  return {.use = use, .find = KeySpec::Find::kUnknown, .position_in = position_in};
}

struct FoundKey {
  int position;
  KeyUse use;  // in this call
};

// Appends the keys in `args`, the command's name among them. False: the arguments do not fit a
// specification (a key count that is no number, or more keys than arguments); what was found so far
// stays.
bool find_keys(std::span<const KeySpec> specs, std::span<const Bytes> args,
               std::vector<FoundKey>& found);

}  // namespace tandem
