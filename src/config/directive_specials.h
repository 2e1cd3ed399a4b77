// The directives whose value is more than a number or a text: how each is read, shown and
// rewritten.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/directive.h"

namespace tandem {

extern const BindSpecial kBindAddresses;     // bind
extern const BindSpecial kBindSavePoints;    // save
extern const BindSpecial kBindFolder;        // dir; setting it changes the process's working folder
extern const BindSpecial kBindOutputLimits;  // client-output-buffer-limit
extern const BindSpecial kBindPrimary;       // replicaof
extern const BindSpecial kBindHz;            // hz, clamped
extern const BindSpecial kBindPercentiles;   // latency-tracking-info-percentiles

Result<std::string> normalize_event_classes(std::span<const std::string> words);
Result<std::string> normalize_oom_scores(std::span<const std::string> words);
// maxmemory-clients: bytes, or a share of maxmemory in percent.
Result<std::string> normalize_client_memory(std::span<const std::string> words);

// A name without a folder; `what` is its kind for the error's text.
Result<void> check_plain_name(std::string_view text, std::string_view directive,
                              std::string_view what);
Result<void> check_host_name(std::string_view text);

}  // namespace tandem
