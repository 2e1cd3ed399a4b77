// Which events of keys are told on channels, and on which: the value of notify-keyspace-events.
//
//   K    on __keyspace@<database>__:<key>, the event's name as the message
//   E    on __keyevent@<database>__:<event>, the key as the message
//   g $ l s h z x e t d    classes of events (keyspace/effects.h); A stands for all of these
//   m n    reads of keys that are absent, and new keys; no part of A
//
// Nothing is told without K or E, or without a class. A value that fits an atomic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "keyspace/effects.h"

namespace tandem {

class EventChoice {
 public:
  constexpr EventChoice() = default;  // nothing is told
  // Nothing: a letter is unknown.
  static std::optional<EventChoice> parse(std::string_view letters);
  // As CONFIG GET shows it: "AKE".
  std::string text() const;

  constexpr bool on_key_channels() const { return has('K'); }
  constexpr bool on_event_channels() const { return has('E'); }
  constexpr bool tells(KeyEventClass of) const { return has(static_cast<char>(of)); }
  // Whether any event is told at all.
  constexpr bool tells_any() const {
    return (letters_ & bits("KE")) != 0 && (letters_ & ~bits("KE")) != 0;
  }

  bool operator==(const EventChoice&) const = default;

 private:
  // In the order in which they are shown.
  static constexpr std::string_view kLetters = "g$lshzxetdKEmn";
  static constexpr std::string_view kAll = "g$lshzxetd";  // what A stands for

  static constexpr uint32_t bit(char letter) { return 1u << kLetters.find(letter); }
  static constexpr uint32_t bits(std::string_view letters) {
    uint32_t all = 0;
    for (const char letter : letters) all |= bit(letter);
    return all;
  }
  constexpr bool has(char letter) const { return (letters_ & bit(letter)) != 0; }

  uint32_t letters_ = 0;  // a bit each
};

}  // namespace tandem
