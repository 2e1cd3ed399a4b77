// What a fatal signal leaves in the log before it ends the program with its own status: the signal
// and the thread, the stack there, and the last commands of each worker.
//
// The handler takes no lock and asks for no memory: it reads what is in place already (this file's
// trails, the log's path) and writes to the log's file directly. Builds with a sanitizer keep the
// sanitizer's report instead.
//
// Threads: log_crashes() any; a CrashTrail belongs to one thread, the handler reads it from any.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace tandem {

// Once, at the start of main, with its argv[0].
void prepare_crash_log(const char* program);
// Whether fatal signals are logged.
void log_crashes(bool on);

// While it lives, its thread handles signals on a stack of its own, for the case that the thread's
// has run over.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  std::unique_ptr<char[]> memory_;
};

// The last commands of one worker, by name and client; arguments are a client's own business. While
// it lives, crash reports show it.
class CrashTrail {
 public:
  explicit CrashTrail(std::string_view owner);
  ~CrashTrail();
  CrashTrail(const CrashTrail&) = delete;
  CrashTrail& operator=(const CrashTrail&) = delete;

  void note(uint64_t client, std::string_view command) {
    Step& step = steps_[count_++ % kSteps];
    step.client = client;
    step.name_bytes = static_cast<uint8_t>(std::min(command.size(), sizeof step.name));
    std::memcpy(step.name, command.data(), step.name_bytes);
  }

  // For the handler.
  static constexpr size_t kSteps = 16;
  static constexpr size_t kNameBytesMax = 23;
  struct Step {
    uint64_t client = 0;
    uint8_t name_bytes = 0;
    char name[kNameBytesMax] = {};
  };
  std::string_view owner() const { return owner_; }
  uint64_t count() const { return count_; }
  const Step& step(uint64_t number) const { return steps_[number % kSteps]; }

 private:
  const std::string owner_;
  uint64_t count_ = 0;
  std::array<Step, kSteps> steps_{};
};

}  // namespace tandem
