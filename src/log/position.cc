#include "log/position.h"

#include <algorithm>

namespace tandem {

ReplicationId ReplicationId::generate(Random& random) {
  ReplicationId id;
  const std::string digits = random.hex(kLength);
  std::copy_n(digits.begin(), kLength, id.text_.begin());
  return id;
}

std::optional<ReplicationId> ReplicationId::parse(Bytes text) {
  if (text.size() != kLength) return std::nullopt;
  const bool hexadecimal = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (!hexadecimal) return std::nullopt;
  ReplicationId id;
  std::transform(text.begin(), text.end(), id.text_.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return id;
}

}  // namespace tandem
