#include "base/logging.h"

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace tandem {
namespace {

// Opens the file for each line.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}

  Result<void> append(std::string_view text) {
    const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return fail(ErrorCode::kIo, std::generic_category().message(errno));
    while (!text.empty()) {
      const ssize_t written = ::write(file, text.data(), text.size());
      if (written <= 0) break;
      text.remove_prefix(static_cast<size_t>(written));
    }
    ::close(file);
    return {};
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    (void)append({line.data(), line.size()});  // nobody to tell
  }
  void flush_() override {}

 private:
  const std::string path_;
};

std::string pattern(char role) { return fmt::format("%P:{} %d %b %Y %H:%M:%S.%e %v", role); }

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto made = std::make_shared<spdlog::logger>("tandem", std::move(sink));
  made->set_pattern(pattern('M'));
  made->set_level(spdlog::level::trace);
  made->flush_on(spdlog::level::trace);
  return made;
}

struct ProcessLog {
  std::atomic<LogLevel> level{LogLevel::kNotice};
  std::string path;
  std::shared_ptr<spdlog::logger> logger =
      make_logger(std::make_shared<spdlog::sinks::stdout_sink_mt>());
};

ProcessLog& process_log() {
  static ProcessLog log;
  return log;
}

// The one-character marks that readers of Redis's logs know.
char mark(LogLevel level) { return ".-*#"[static_cast<int>(level)]; }

}  // namespace

Result<void> open_log(const std::string& path, LogLevel level) {
  set_log_level(level);
  if (path.empty()) return {};
  auto sink = std::make_shared<FileSink>(path);
  if (auto opened = sink->append(""); !opened) return opened;
  process_log().path = path;
  process_log().logger = make_logger(std::move(sink));
  return {};
}

const char* log_path() { return process_log().path.c_str(); }

void set_log_level(LogLevel level) { process_log().level.store(level, std::memory_order_relaxed); }

void set_log_role(char role) { process_log().logger->set_pattern(pattern(role)); }

bool log_enabled(LogLevel level) {
  return level >= process_log().level.load(std::memory_order_relaxed);
}

void log_line(LogLevel level, std::string_view text) {
  process_log().logger->log(spdlog::level::info, "{} {}", mark(level), text);
}

}  // namespace tandem
