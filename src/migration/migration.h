// MIGRATE: keys go to another server and are deleted here, and to everybody who looks it happens at
// one moment.
//
// Redis has that moment by standing still, as a whole, until the target has answered. Here a
// transfer must keep neither a stripe nor a worker. So the command has two halves:
//
//   under the keys' stripes    the values are written down as DUMP does; the keys are noted as
//                              moving, and watched
//   (no lock at all)           the transfer, on a loop of its own (migration/transfers.h). The
//                              client is blocked, as one that waits for replicas is; all others go
//                              on, but for who comes to one of these keys: it is held back
//   under the stripes again    what has arrived is deleted, stated as one DEL of just these keys;
//                              then everybody goes on
//
// The alternative, to let writers go on and not to delete what they have changed, has no wait; but
// a key that is written often would never get away, and in between a reader could find one key at
// both servers. So who comes to a moving key waits, for as long as the transfer makes progress
// within the timeout. Redis lets everybody wait for so long.
//
// Two sorts of writers are not held back: a primary's stream (on a writable replica), and a blocked
// client that moves an element into such a key. They are why keys are watched, too: a key that has
// changed is not deleted, and the error says so. Nobody's change is lost.
//
// The second half is a write like others. A pause holds it back until it is over. If the server has
// become a replica meanwhile, or may not write for another reason, it is refused with that error,
// and what has arrived is at both servers.
//
// It runs on the worker that the client belongs to, whatever has become of the client: one that is
// closed, killed or unblocked (as if the target were silent) takes nothing back. A shutdown does
// not wait for transfers; it ends them.
//
// Inside MULTI and in scripts nothing else may happen in between, and no client can be blocked: the
// transfer is waited for with the stripes held, which is Redis's way, within the same timeout.
// The transfers' loop takes no stripe, so it goes on. A target that is this very server then waits
// for the stripes until the time is over, as it does in Redis. Otherwise the server may move keys
// to itself, into another database.
//
// COPY deletes nothing and holds nobody back.
#pragma once

#include <functional>
#include <vector>

#include "engine/command.h"
#include "engine/context.h"
#include "io/loop.h"
#include "migration/transfers.h"

namespace tandem {

// The loop on which a client's commands run; null for who has none (a script).
using LoopOf = std::function<Loop*(const ClientState& client)>;

// `transfers` outlives the rows.
std::vector<CommandRow> migration_rows(Transfers& transfers, LoopOf loop_of);

}  // namespace tandem
