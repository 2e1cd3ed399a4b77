#include "io/stop.h"

namespace tandem {

Stop::Stop(StopToken parent) {
  if (parent.requested()) {
    request(parent.reason());
  } else {
    parent.listen(*this);
  }
}

void Stop::request(ErrorCode reason) {
  if (requested_) return;
  requested_ = true;
  reason_ = reason;
  while (!listeners_.empty()) listeners_.pop_front().on_stop(reason);
}

}  // namespace tandem
