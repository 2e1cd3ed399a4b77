#include "keyspace/event_choice.h"

namespace tandem {

std::optional<EventChoice> EventChoice::parse(std::string_view letters) {
  EventChoice choice;
  for (const char letter : letters) {
    if (letter == 'A') {
      choice.letters_ |= bits(kAll);
    } else if (kLetters.contains(letter)) {
      choice.letters_ |= bit(letter);
    } else {
      return std::nullopt;
    }
  }
  return choice;
}

std::string EventChoice::text() const {
  const bool all = (letters_ & bits(kAll)) == bits(kAll);
  std::string shown = all ? "A" : "";
  for (const char letter : kLetters) {
    if (has(letter) && !(all && kAll.contains(letter))) shown.push_back(letter);
  }
  return shown;
}

}  // namespace tandem
