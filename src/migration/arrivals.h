// What becomes of keys once a transfer of theirs has ended.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/client_state.h"
#include "engine/context.h"
#include "migration/transfer.h"

namespace tandem {

// A key that was sent. In the order of TransferOrder::items.
struct SentKey {
  std::string key;
  std::shared_ptr<WatchMark> changed = {};  // null: nobody could change it meanwhile
};

// Deletes what has arrived and has not changed since it was sent, and answers. REQUIRES: the keys'
// stripes held, unless `keeps_all`.
void conclude_transfer(Context& c, std::span<const SentKey> sent, const TransferOutcome& outcome,
                       bool keeps_all);

}  // namespace tandem
