// What fuzz_link makes of its input: what a primary says on each visit of the replica, and how it
// goes over the wire.
//
//   input  = settings visit ("\n~\n" visit)*
//   visit  = choice bytes
//   settings, choice: one byte each, their bits below
//
// In corpus/link/, redis* and tandem* are what such servers sent; the others are written by hand.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "log/log.h"
#include "rdb/rdb_writer.h"
#include "replication/link_wire.h"

namespace tandem {

inline constexpr size_t kVisitsMax = 4;
inline constexpr size_t kInputBytesMax = 32 * 1024;  // less than the wire takes at once
inline const Bytes kNextVisit = "\n~\n";

// How the primary takes its leave once it has said everything.
enum class Leave : uint8_t {
  kCloses,
  kFallsSilent,  // the replica's own patience ends it
  kIsReset,      // by the network; what is under way is lost
  kIsKilled,     // by the replica's CLIENT KILL
};

struct Visit {
  std::string bytes;       // all that the primary says
  size_t scripted = 0;     // of them: the beginning that the script wrote
  bool continues = false;  // which ends in +CONTINUE
  bool full_sync = false;  // ... or in a whole snapshot
  Leave leave = Leave::kCloses;
};

struct LinkScript {
  uint64_t seed = 0;
  size_t piece_bytes_max = 1;   // of the pieces in which the primary writes
  bool holds_position = false;  // the replica has followed somebody before
  bool is_tried_whole = false;  // too, and compared
  bool is_abandoned = false;    // the replica is destroyed in the middle
  std::vector<Visit> visits;

  // What comes of it depends on the bytes alone.
  bool is_deterministic() const {
    return !is_abandoned && std::ranges::none_of(visits, [](const Visit& visit) {
      return visit.leave == Leave::kIsReset || visit.leave == Leave::kIsKilled;
    });
  }
};

// The replica's history where it holds one, and another that a primary may tell.
inline ReplicationId held_id() { return *ReplicationId::parse(std::string(40, 'a')); }
inline ReplicationId other_id() { return *ReplicationId::parse(std::string(40, 'b')); }
inline constexpr uint64_t kHeldOffset = 1000;
inline constexpr uint32_t kHeldDatabase = 1;

// With one key, "new", and a stream that goes on in database 1.
inline std::string small_snapshot() {
  std::string bytes;
  StringSink sink(bytes);
  RdbWriter writer(sink, {});
  writer.begin({.replication = RdbPreamble::Replication{1, std::string(other_id().text()), 50}});
  std::string entry;
  StringSink entry_sink(entry);
  rdb_encode_entry(entry_sink, "new", ref(Value{std::string("2")}), std::nullopt, {});
  writer.entries(0).write(entry);
  writer.finish();
  return bytes;
}

// The choice's bits: 0 and 1 say how far the script speaks for the primary (nowhere, the greeting,
// that and +CONTINUE, that and a full sync), 2 and 3 how it leaves. Bit 6: +CONTINUE tells another
// id; the snapshot has a mark instead of a length.
inline Visit parse_visit(Bytes text) {
  Visit visit;
  if (text.empty()) return visit;
  const auto choice = static_cast<uint8_t>(text[0]);
  const int scripted = choice & 3;
  const bool other_form = (choice & 64) != 0;
  visit.leave = static_cast<Leave>(choice >> 2 & 3);
  if (scripted > 0) visit.bytes = "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n-ERR no such option\r\n";
  if (scripted == 2) {
    visit.continues = true;
    visit.bytes += "+CONTINUE";
    if (other_form) visit.bytes += " " + std::string(other_id().text());
    visit.bytes += "\r\n";
  }
  if (scripted == 3) {
    static const std::string snapshot = small_snapshot();
    const std::string mark(kTransferMarkBytes, 'm');
    visit.full_sync = true;
    visit.bytes += "+FULLRESYNC " + std::string(other_id().text()) + " 50\r\n";
    TransferHeader header{.mark = std::nullopt, .length = snapshot.size()};
    if (other_form) header.mark = mark;
    visit.bytes += transfer_header_bytes(header);
    visit.bytes += snapshot + (other_form ? mark : "");
  }
  visit.scripted = visit.bytes.size();
  visit.bytes += text.substr(1);
  return visit;
}

// The settings' bits: 0 to 2 the size of the pieces, 3 whether the replica holds a position, 4 and
// 5 the seed, 6 whether the pieces are compared with the whole, 7 whether it is abandoned.
inline LinkScript parse_link_script(Bytes input) {
  static constexpr std::array<size_t, 8> kPieceBytes{1, 2, 3, 7, 20, 60, 300, 4000};
  LinkScript script;
  if (input.empty()) return script;
  const auto settings = static_cast<uint8_t>(input[0]);
  script.piece_bytes_max = kPieceBytes[settings & 7];
  script.holds_position = (settings & 8) != 0;
  script.seed = settings >> 4 & 3;
  script.is_tried_whole = (settings & 64) != 0;
  script.is_abandoned = (settings & 128) != 0;
  for (Bytes rest = input.substr(1); script.visits.size() < kVisitsMax;) {
    const size_t end = rest.find(kNextVisit);
    script.visits.push_back(parse_visit(rest.substr(0, end)));
    if (end == Bytes::npos) break;
    rest.remove_prefix(end + kNextVisit.size());
  }
  return script;
}

}  // namespace tandem
