#include "engine/dataset_install.h"

#include <utility>
#include <vector>

#include "keyspace/garbage.h"
#include "keyspace/view.h"

namespace tandem {

Installed install_dataset(Engine& engine, DatasetLoad& load, const DatasetInstall& how) {
  std::vector<TablesRef> former;
  {
    const ExclusiveGuard all(engine.keyspace);
    if (how.is_wanted != nullptr && !how.is_wanted()) return Installed::kUnwanted;
    if (engine.keyspace.snapshot().sink != nullptr) {
      engine.snapshot_turn.interrupt();
      return Installed::kSnapshotRuns;
    }
    former = load.install();
    for (int i = 0; i < engine.keyspace.database_count(); ++i) {
      const KeyAccess::ChangedDatabase changed{i, former[static_cast<size_t>(i)]};
      engine.watch_table.mark_database_dirty(
          i, [&](Bytes key) { return changed.concerns(engine.keyspace, key); });
    }
    if (how.place_log != nullptr) how.place_log();
  }
  for (TablesRef& tables : former) engine.discard(Garbage(std::move(tables)));
  return Installed::kDone;
}

}  // namespace tandem
