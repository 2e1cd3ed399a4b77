// The handler runs where anything may be broken, so it does what it can, line by line: what was
// written before it fails itself stays. A second fatal signal, of another thread or of the handler,
// gets its default action at once.
#include "base/crash_log.h"

#include <algorithm>
#include <csignal>
#include <span>

#include <absl/debugging/symbolize.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/check.h"
#include "base/logging.h"
#include "base/version.h"

namespace tandem {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TANDEM_SANITIZER_REPORTS 1
#endif
#endif
#ifdef TANDEM_SANITIZER_REPORTS
constexpr bool kHandled = false;
#else
constexpr bool kHandled = true;
#endif

constexpr size_t kStackBytes = 64 * 1024;
constexpr int kFramesMax = 64;
constexpr size_t kTrailsMax = 512;

struct FatalSignal {
  int number;
  std::string_view name;
};
constexpr FatalSignal kFatal[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
                                  {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"}, {SIGTRAP, "SIGTRAP"}};

using Trails = std::array<std::atomic<const CrashTrail*>, kTrailsMax>;

Trails& all_trails() {
  static Trails trails{};
  return trails;
}

// One line, put together without memory of its own and written at once.
class Line {
 public:
  explicit Line(int file) : file_(file) {}
  ~Line() {
    text_[size_++] = '\n';
    [[maybe_unused]] const ssize_t written = ::write(file_, text_.data(), size_);
  }

  Line& operator<<(std::string_view piece) {
    const size_t fits = std::min(piece.size(), text_.size() - 1 - size_);
    std::copy_n(piece.data(), fits, text_.data() + size_);
    size_ += fits;
    return *this;
  }
  Line& operator<<(uint64_t number) { return digits(number, 10); }
  Line& address(const void* address) {
    return (*this << std::string_view("0x")).digits(reinterpret_cast<uint64_t>(address), 16);
  }

 private:
  Line& digits(uint64_t number, unsigned radix) {
    std::array<char, 20> reversed;
    size_t count = 0;
    do {
      reversed[count++] = "0123456789abcdef"[number % radix];
      number /= radix;
    } while (number != 0);
    while (count > 0) *this << std::string_view(&reversed[--count], 1);
    return *this;
  }

  int file_;
  size_t size_ = 0;
  std::array<char, 1024> text_;
};

// Where the signal struck.
void* struck_at(void* context) {
  const auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return reinterpret_cast<void*>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(machine.pc);
#else
  return nullptr;
#endif
}

// The frames above the struck one are the handler's own.
void write_stack(int file, void* context) {
  std::array<void*, kFramesMax> frames;
  const std::span all(frames.data(), static_cast<size_t>(::backtrace(frames.data(), kFramesMax)));
  const auto struck = std::ranges::find(all, struck_at(context));
  Line(file) << "------ STACK TRACE ------";
  for (auto frame = struck == all.end() ? all.begin() : struck; frame != all.end(); ++frame) {
    // The others are where their functions go on; the calls stand before that.
    const void* at = frame == struck ? *frame : static_cast<const char*>(*frame) - 1;
    std::array<char, 512> name;
    const bool known = absl::Symbolize(at, name.data(), static_cast<int>(name.size()));
    Line(file).address(*frame) << " " << (known ? name.data() : "(unknown)");
  }
}

void write_trails(int file) {
  Line(file) << "------ LAST COMMANDS, the newest first ------";
  for (const auto& place : all_trails()) {
    const CrashTrail* trail = place.load(std::memory_order_acquire);
    if (trail == nullptr) continue;
    const uint64_t count = trail->count();
    for (uint64_t back = 1; back <= std::min<uint64_t>(count, CrashTrail::kSteps); ++back) {
      const CrashTrail::Step& step = trail->step(count - back);
      const size_t bytes = std::min<size_t>(step.name_bytes, CrashTrail::kNameBytesMax);
      Line(file) << "  " << trail->owner() << " client " << step.client << " "
                 << std::string_view(step.name, bytes);
    }
  }
}

std::string_view signal_name(int number) {
  for (const FatalSignal& known : kFatal) {
    if (known.number == number) return known.name;
  }
  return "a signal";
}

void report(int number, siginfo_t* info, void* context) {
  const char* path = log_path();
  const int file =
      path[0] == '\0' ? STDOUT_FILENO : ::open(path, O_WRONLY | O_APPEND | O_CREAT, 0644);
  std::array<char, 16> thread{};
  ::prctl(PR_GET_NAME, thread.data());
  Line(file) << "=== TANDEM CRASH REPORT: cut here ===";
  Line(file) << "Tandem " << kTandemVersion << " crashed by signal " << signal_name(number) << " ("
             << static_cast<uint64_t>(number) << ") in thread '" << thread.data() << "', pid "
             << static_cast<uint64_t>(::getpid());
  if (info->si_code > 0) {
    (Line(file) << "At the address ").address(info->si_addr);
  } else {
    Line(file) << "Sent by process " << static_cast<uint64_t>(info->si_pid);
  }
  write_stack(file, context);
  write_trails(file);
  Line(file) << "=== TANDEM CRASH REPORT: end ===";
}

void set_default(int number) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  ::sigaction(number, &action, nullptr);
}

// The signal is raised again with its default action, which waits until the handler has returned.
void on_fatal_signal(int number, siginfo_t* info, void* context) {
  for (const FatalSignal& fatal : kFatal) set_default(fatal.number);
  report(number, info, context);
  ::raise(number);
}

}  // namespace

void prepare_crash_log(const char* program) {
  absl::InitializeSymbolizer(program);
  // Its first call loads a library, which the handler must not.
  void* frame;
  (void)::backtrace(&frame, 1);
  (void)all_trails();
}

void log_crashes(bool on) {
  if (!kHandled) return;
  for (const FatalSignal& fatal : kFatal) {
    if (!on) {
      set_default(fatal.number);
      continue;
    }
    struct sigaction action{};
    action.sa_sigaction = on_fatal_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(fatal.number, &action, nullptr);
  }
}

// A sanitizer has stacks of its own for this, and frees what it finds in their place.
CrashStack::CrashStack() {
  if (!kHandled) return;
  memory_ = std::make_unique_for_overwrite<char[]>(kStackBytes);
  stack_t stack{};
  stack.ss_sp = memory_.get();
  stack.ss_size = kStackBytes;
  (void)::sigaltstack(&stack, nullptr);
}

CrashStack::~CrashStack() {
  if (!kHandled) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  (void)::sigaltstack(&none, nullptr);
}

CrashTrail::CrashTrail(std::string_view owner) : owner_(owner) {
  for (auto& place : all_trails()) {
    const CrashTrail* free = nullptr;
    if (place.compare_exchange_strong(free, this)) return;
  }
}

CrashTrail::~CrashTrail() {
  for (auto& place : all_trails()) {
    const CrashTrail* own = this;
    if (place.compare_exchange_strong(own, nullptr)) return;
  }
}

}  // namespace tandem
