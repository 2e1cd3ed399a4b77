#include "engine/registrations.h"

namespace tandem {
namespace {

void mark_all(const absl::flat_hash_set<std::shared_ptr<WatchMark>>& marks) {
  for (const auto& mark : marks) mark->dirty.store(true, std::memory_order_relaxed);
}

}  // namespace

void WatchTable::add(int database, Bytes key, const std::shared_ptr<WatchMark>& mark) {
  watches_.with(database, key, [&](Marks& marks, auto interest) {
    if (marks.insert(mark).second) interest.add();
    return true;
  });
}

void WatchTable::remove(int database, Bytes key, const std::shared_ptr<WatchMark>& mark) {
  watches_.with_present(database, key, [&](Marks& marks, auto interest) {
    if (marks.erase(mark) != 0) interest.remove();
    return !marks.empty();
  });
}

void WatchTable::mark_dirty(int database, Bytes key) {
  watches_.with_present(database, key, [](const Marks& marks, auto) {
    mark_all(marks);
    return true;
  });
}

void WatchTable::mark_database_dirty(const AllStripes& /*all*/, int database,
                                     FunctionRef<bool(Bytes key)> concerned) {
  watches_.for_each(database, [&](Bytes key, const Marks& marks) {
    if (concerned(key)) mark_all(marks);
  });
}

}  // namespace tandem
