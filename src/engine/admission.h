// Whether a command is let in: a pure function of its row, its client, the node's conditions, and,
// where its user is limited, of its arguments.
//
// It is asked when a command comes, when a transaction queues it, and again under its stripes if
// the conditions or the rights of users have changed since: only then can they not change any more
// before it is executed. It is asked for each command inside a transaction or script, too.
//
// Rights cost a client that may do everything nothing: that it is limited is one of its conditions,
// and the version of its rights is compared together with them, in one word
// (ClientState::standing). A client that finds another version takes its rights anew, once; no
// other look takes a lock.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "engine/client_state.h"
#include "engine/command.h"
#include "engine/gate.h"

namespace tandem {

// What is answered while a script or a function is busy.
Bytes busy_text(uint32_t bits);

// A password is asked for, and this client has not given it.
inline bool locked_out(const ClientState& client, uint32_t bits) {
  return client.is(kUnauthenticated) && (bits & Gate::kAuthRequired) != 0;
}

// What may stand in a replication stream: beside what changes data or replicates by itself, what
// holds a stream together, and the scripts of primaries before Redis 7.
inline bool allowed_in_stream(const Command& command) {
  return command.has(kWrite | kMayReplicate | kInStream);
}

// The usual case, seen at a glance: nothing speaks against the command. False: look closer.
// `word`: the gate's.
inline bool is_let_in_at_once(const Command& command, const ClientState& client, uint64_t word) {
  if (client.kind == ClientKind::kLink) {
    return allowed_in_stream(command) && (word & (Gate::kPausedAll | Gate::kPausedWrites)) == 0;
  }
  return ((word ^ client.standing) & command.judged_by) == 0;
}

// Gives the client its account's rights, if it has others than those of this version.
void take_rights(ClientState& client, uint64_t word);

// Why the client's user may not make this call; nothing if it may.
std::optional<Denial> denial(const Command& command, std::span<const Bytes> args,
                             const ClientState& client);
// As its clients are told, without an error's code: it names the command, but neither key nor
// channel.
std::string denial_text(const Denial& denial, const Command& command, Bytes user);

// The flags by which a command is judged: its row's, or those of this very call; for EXEC with what
// is queued. One that writes makes all of them write; one that may not run while the data load
// keeps all from it.
uint32_t effective_flags(const Command& command, const ClientState& client,
                         std::span<const Bytes> args);

// The error that refuses this command now for another reason than rights ("READONLY You can't write
// against a read only replica."), or nothing. Redis's order of checks, in which rights come behind
// authentication and before all the rest. `flags`: effective ones. Of the primary's stream only
// what cannot be part of one is refused (SAVE, SUBSCRIBE).
std::optional<std::string> refusal(const Command& command, uint32_t flags,
                                   const ClientState& client, uint32_t bits);

// A pause holds this command back; it is to be tried again later.
bool is_held_back(uint32_t flags, const ClientState& client, uint32_t bits);

}  // namespace tandem
