#include "engine/journal.h"

#include "base/check.h"

namespace tandem {

Journal::Journal(Log& log, int databases) : log_(log) {
  for (int database = 0; database < databases; ++database) {
    selects_.push_back(select_command(database));
  }
}

uint64_t Journal::append([[maybe_unused]] const KeyLocks& locks, Effects& effects) {
  DCHECK(locks.any(), "what is executed is appended before its stripes are let go");
  if (closed()) return log_.end();
  const int database = effects.first_database();
  return log_.append(effects.record(), static_cast<uint32_t>(database),
                     selects_[static_cast<size_t>(database)]);
}

void Journal::append_stream([[maybe_unused]] const KeyLocks& locks, Bytes raw, int database) {
  DCHECK(locks.any(), "what is executed is appended before its stripes are let go");
  log_.append_verbatim(raw, static_cast<uint32_t>(database));
}

void Journal::append_stream([[maybe_unused]] const KeyLocks& locks, Bytes raw) {
  DCHECK(locks.any(), "what is executed is appended before its stripes are let go");
  log_.append_verbatim(raw);
}

void Journal::append_control([[maybe_unused]] const KeyLocks& locks, Bytes command) {
  DCHECK(locks.any(), "what is executed is appended before its stripes are let go");
  if (!closed()) log_.append_verbatim(command);
}

}  // namespace tandem
