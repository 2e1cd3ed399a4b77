#include "base/logging.h"

#include <atomic>
#include <memory>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tandem {
namespace {

std::atomic<LogLevel>& threshold() {
  static std::atomic<LogLevel> level{LogLevel::kNotice};
  return level;
}

std::shared_ptr<spdlog::logger>& sink() {
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("tandem",
                                                 std::make_shared<spdlog::sinks::stdout_sink_mt>());
    made->set_pattern("%P %d %b %Y %H:%M:%S.%e %v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return logger;
}

// The one-character marks that readers of Redis's logs know.
char mark(LogLevel level) { return ".-*#"[static_cast<int>(level)]; }

}  // namespace

void open_log(const std::string& path, LogLevel level) {
  set_log_level(level);
  if (path.empty()) return;
  auto made = std::make_shared<spdlog::logger>(
      "tandem", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
  made->set_pattern("%P %d %b %Y %H:%M:%S.%e %v");
  made->set_level(spdlog::level::trace);
  made->flush_on(spdlog::level::trace);
  sink() = std::move(made);
}

void set_log_level(LogLevel level) { threshold().store(level, std::memory_order_relaxed); }

bool log_enabled(LogLevel level) { return level >= threshold().load(std::memory_order_relaxed); }

void log_line(LogLevel level, std::string_view text) {
  sink()->log(spdlog::level::info, "{} {}", mark(level), text);
}

}  // namespace tandem
