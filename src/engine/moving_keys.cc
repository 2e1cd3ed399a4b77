#include "engine/moving_keys.h"

namespace tandem {

void MovingKeys::add(int database, Bytes key) {
  bool is_new = false;
  keys_.with(database, key, [&](Mark& mark, auto) {
    is_new = mark.is_new;
    mark.is_new = false;
    return true;
  });
  if (is_new) count(1);
}

void MovingKeys::remove(int database, Bytes key) {
  bool was_there = false;
  keys_.with_present(database, key, [&](const Mark&, auto) {
    was_there = true;
    return false;
  });
  if (was_there) count(-1);
}

bool MovingKeys::has(int database, Bytes key) {
  bool found = false;
  keys_.with_present(database, key, [&](const Mark&, auto) {
    found = true;
    return true;
  });
  return found;
}

bool MovingKeys::has_in_any_database(Bytes key) {
  for (int database = 0; database < databases_; ++database) {
    if (has(database, key)) return true;
  }
  return false;
}

void MovingKeys::count(int change) {
  const Guard guard(counting_);
  count_ += change;
  gate_.set(Gate::kKeysMoving, count_ != 0);
}

}  // namespace tandem
