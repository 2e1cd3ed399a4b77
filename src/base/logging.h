// Log lines for people. Thread safe. Text is formatted with fmt; the backend is spdlog, which only
// the .cc sees.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/result.h"

namespace tandem {

// Redis's four levels, as `loglevel` names them.
enum class LogLevel { kDebug, kVerbose, kNotice, kWarning };

// Where lines go: a file's path, or empty for standard output. A file is opened anew for each line:
// so it may be moved away at any time, as tools that rotate logs do, and a relative path starts at
// the working folder of the moment. The error says why the file cannot be opened. Call before other
// threads start.
Result<void> open_log(const std::string& path, LogLevel level);
// The path; also for handlers of signals.
const char* log_path();
void set_log_level(LogLevel level);
// The letter behind the process's number, as readers of Redis's logs know it: M a primary (as at
// the start), S a replica.
void set_log_role(char role);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view text);

template <class... Args>
void log_line_at(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_line_at(LogLevel::kDebug, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_verbose(fmt::format_string<Args...> format, Args&&... args) {
  log_line_at(LogLevel::kVerbose, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_notice(fmt::format_string<Args...> format, Args&&... args) {
  log_line_at(LogLevel::kNotice, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line_at(LogLevel::kWarning, format, std::forward<Args>(args)...);
}

}  // namespace tandem
