// Leaving the terminal: what `daemonize` does.
#pragma once

#include "base/result.h"

namespace tandem {

// Goes on as a child of the calling process, in a session of its own, with its standard streams at
// /dev/null; the calling process ends at once with status 0. Before any other thread is made. The
// error: the system has no process left.
Result<void> go_into_background();

}  // namespace tandem
