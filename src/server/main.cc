// The program: reads the configuration, builds the server, runs it.
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/logging.h"
#include "base/random.h"
#include "base/version.h"
#include "config/config.h"
#include "io/disk_files.h"
#include "server/composition.h"
#include "server/machine_config_files.h"

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
    if (auto done = files_.replace_all(path_, fmt::format("{}\n", ::getpid())); !done) {
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
  Files& files_;
  std::string path_;
};

int serve(const std::vector<std::string>& arguments) {
  DiskFiles files;
  MachineConfigFiles config_files(files);
  Options options;
  Config config(options, config_files);
  if (auto loaded = config.load(parse_config_arguments(arguments)); !loaded) {
    fmt::print(stderr, "{}\n", loaded.error().text);
    return 1;
  }
  open_log(options.server.log_file.get(), options.server.log_level.get());
  log_notice("Tandem {} is starting, as Redis {}, pid {}", kTandemVersion, kRedisVersion,
             ::getpid());
  for (const std::string& warning : config.warnings()) log_warning("{}", warning);
  if (options.server.daemonize.get()) log_warning("'daemonize' is not supported yet");

  Composition server(options, config, entropy_seed());
  if (auto renamed = server.rename_commands(); !renamed) {
    fmt::print(stderr, "{}\n", renamed.error().text);
    return 1;
  }
  const PidFile pid_file(files, options.server.pid_file.get());
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
  return serve(arguments);
}
