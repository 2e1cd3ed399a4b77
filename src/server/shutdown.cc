#include "server/shutdown.h"

#include "base/logging.h"

namespace tandem {

Result<void> Shutdown::begin(int how) {
  const std::lock_guard guard(lock_);
  if (over_) return {};
  log_warning("User requested shutdown...");
  const bool save = (how & kShutdownNoSave) == 0 &&
                    ((how & kShutdownSave) != 0 || parts_.persistence.has_save_points());
  // What is answered from here on is not in the file any more: so nothing is.
  const bool paused_before = parts_.gate.is(Gate::kPausedWrites);
  parts_.gate.set(Gate::kPausedWrites, true);
  parts_.stop_scripts();
  parts_.persistence.abort_background();
  if (save) {
    log_notice("Saving the final RDB snapshot before exiting.");
    if (auto saved = parts_.persistence.save_now(); !saved && (how & kShutdownForce) == 0) {
      log_warning("Error trying to save the DB, can't exit: {}", saved.error().text);
      parts_.gate.set(Gate::kPausedWrites, paused_before);
      return saved;
    }
  }
  over_ = true;
  parts_.leave();
  return {};
}

}  // namespace tandem
