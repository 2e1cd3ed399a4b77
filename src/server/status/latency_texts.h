// What LATENCY GRAPH and LATENCY DOCTOR answer. Pure.
//
// The picture of an event: a column a spike, the oldest on the left, and below each its
// age, written downwards.
//
//   command - high 50 ms, low 3 ms (all time high 50 ms)
//   ----------------------------------------------------
//       #
//       |  _
//     o |  |
//   _o|_|oo|
//
//   87654321
//   ssssssss
//
// A column has twelve heights, from the lowest to the highest spike: three marks in each of four
// lines. After eighty columns the picture goes on below.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "server/status/command_reports.h"

namespace tandem {

// REQUIRES: the event has samples.
std::string latency_graph(const LatencyEvent& event, int64_t now_unix_s);

// The events in words, and what may be done about them. `monitored`: spikes are looked for.
std::string latency_report(std::span<const LatencyEvent> events, bool monitored);

}  // namespace tandem
