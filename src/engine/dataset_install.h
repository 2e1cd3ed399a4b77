// How a loaded dataset takes the place of the one that is served: in one step for everybody, under
// all stripes. Transactions that watch a key which changes by it are dirty, and the log goes on
// where the new data are. A full sync and the file at start both come through here.
//
// Any thread that holds no stripe.
#pragma once

#include <functional>

#include "engine/dataset_load.h"
#include "engine/engine.h"

namespace tandem {

enum class Installed {
  kDone,
  kUnwanted,
  kSnapshotRuns,  // of the former data; it was asked to end, and this is to be tried again
};

struct DatasetInstall {
  std::function<bool()> is_wanted{};     // null: it is
  std::function<void()> place_log = {};  // where the new data are; null: the log stays
};

// `load` has ended. Both functions are called with all stripes held, each once at most. The former
// dataset is freed with none held. Whatever is returned but kDone: nothing has changed.
Installed install_dataset(Engine& engine, DatasetLoad& load, const DatasetInstall& how);

}  // namespace tandem
