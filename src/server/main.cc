// The program: reads the configuration, builds the server, runs it.
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crash_log.h"
#include "base/logging.h"
#include "base/random.h"
#include "base/version.h"
#include "config/config.h"
#include "io/files.h"
#include "io/process.h"
#include "server/composition.h"
#include "server/configuration_hooks.h"
#include "server/supervision.h"

namespace {

using namespace tandem;

constexpr std::string_view kUsage =
    "Usage: tandem-server [/path/to/redis.conf] [--directive value ...] [-]\n"
    "       tandem-server - (reads the configuration from standard input)\n"
    "       tandem-server -v or --version\n"
    "       tandem-server -h or --help\n\n"
    "Examples:\n"
    "       tandem-server (with the defaults)\n"
    "       tandem-server /etc/tandem.conf --loglevel verbose\n"
    "       tandem-server --port 7777 --replicaof 127.0.0.1 8888\n";

bool is_one_of(const std::string& argument, std::string_view a, std::string_view b) {
  return argument == a || argument == b;
}

// Removes the file again when the server ends.
class PidFile {
 public:
  PidFile(Files& files, std::string path) : files_(files), path_(std::move(path)) {
    if (path_.empty()) return;
    // In place: the file may be ours where its folder is not.
    if (auto done = write(); !done) {
      log_warning("Failed to write PID file: {}", done.error().text);
      path_.clear();
    }
  }
  ~PidFile() {
    if (!path_.empty()) (void)files_.remove(path_);
  }
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  Result<void> write() {
    auto file = files_.open(path_, OpenMode::kReplace);
    if (!file) return std::unexpected(file.error());
    return (*file)->append(fmt::format("{}\n", ::getpid()));
  }

  Files& files_;
  std::string path_;
};

// Fatal before there is a log, or because of it.
int refuse(const Error& error) {
  fmt::print(stderr, "{}\n", error.text);
  return 1;
}

// What others may send to a server without meaning it: the end of a terminal, a closed pipe.
void ignore_signals() {
  for (const int number : {SIGHUP, SIGPIPE, SIGUSR1}) std::signal(number, SIG_IGN);
}

// Before any thread is made: a fork takes only the one that calls it along.
Result<void> leave_terminal(ServerOptions& options, const Supervision& supervision) {
  options.supervised.set(supervision.by());
  if (!options.daemonize.get() || supervision.by() != Supervisor::kNone) return {};
  constexpr const char* kPidFile = "/var/run/redis.pid";  // as Redis's
  if (options.pid_file.empty()) options.pid_file.set(kPidFile);
  return go_into_background();
}

int serve(const std::string& program, const std::vector<std::string>& arguments,
          ProcessTitle& title) {
  DiskFiles files;
  MachineConfigFiles config_files(files);
  Options options;
  ServerOptions& server_options = options.server;
  Config config(options, config_files);
  if (auto loaded = config.load(parse_config_arguments(arguments)); !loaded) {
    return refuse(loaded.error());
  }
  ignore_signals();
  const std::string log_file = server_options.log_file.get();
  if (auto opened = open_log(log_file, server_options.log_level.get()); !opened) {
    return refuse(
        {ErrorCode::kIo, fmt::format("Can't open the log file: {}", opened.error().text)});
  }
  const Supervision supervision(server_options.supervised.get());
  if (auto left = leave_terminal(server_options, supervision); !left) return refuse(left.error());
  const CrashStack crash_stack;
  log_crashes(server_options.crash_log.get());
  log_notice("Tandem {} is starting, as Redis {}, pid {}", kTandemVersion, kRedisVersion,
             ::getpid());
  for (const std::string& warning : config.warnings()) log_warning("{}", warning);

  Composition server(options, config,
                     {.program = program,
                      .show_title = [&title](std::string_view text) { title.show(text); },
                      .supervision = supervision},
                     entropy_seed());
  if (auto renamed = server.rename_commands(); !renamed) return refuse(renamed.error());
  if (auto declared = server.declare_users(); !declared) {
    log_warning("{}", declared.error().text);
    return 1;
  }
  const PidFile pid_file(files, server_options.pid_file.get());
  if (auto started = server.start(); !started) {
    log_warning("Fatal: {}", started.error().text);
    return 1;
  }
  const int code = server.run();
  log_warning("Tandem is now ready to exit, bye bye...");
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && is_one_of(arguments[0], "-v", "--version")) {
    fmt::print("Tandem server v={} redis_version={} bits=64\n", kTandemVersion, kRedisVersion);
    return 0;
  }
  if (arguments.size() == 1 && is_one_of(arguments[0], "-h", "--help")) {
    fmt::print("{}", kUsage);
    return 0;
  }
  const std::string program = argv[0];
  prepare_crash_log(argv[0]);
  ProcessTitle title(argc, argv);
  try {
    return serve(program, arguments, title);
  } catch (const std::runtime_error& error) {  // a thread that a constructor cannot have
    log_warning("Fatal: {}", error.what());
    return 1;
  }
}
