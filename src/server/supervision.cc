#include "server/supervision.h"

#include <csignal>
#include <cstdlib>

#include "base/logging.h"
#include "io/process.h"

namespace tandem {
namespace {

constexpr const char* kUpstartJob = "UPSTART_JOB";
constexpr const char* kNotifySocket = "NOTIFY_SOCKET";

}  // namespace

Supervision::Supervision(Supervisor wanted) {
  const bool upstart = std::getenv(kUpstartJob) != nullptr;
  const char* socket = std::getenv(kNotifySocket);
  if (wanted == Supervisor::kAuto) {
    wanted = upstart             ? Supervisor::kUpstart
             : socket != nullptr ? Supervisor::kSystemd
                                 : Supervisor::kNone;
  }
  if (wanted == Supervisor::kUpstart) wait_for_upstart(upstart);
  if (wanted == Supervisor::kSystemd) greet_systemd(socket);
}

void Supervision::wait_for_upstart(bool is_there) {
  if (!is_there) {
    log_warning("upstart supervision requested, but UPSTART_JOB not found");
    return;
  }
  log_notice("supervised by upstart, will stop to signal readiness");
  std::raise(SIGSTOP);
  ::unsetenv(kUpstartJob);
  by_ = Supervisor::kUpstart;
}

void Supervision::greet_systemd(const char* socket) {
  if (socket == nullptr) {
    log_warning("systemd supervision requested, but NOTIFY_SOCKET not found");
    return;
  }
  log_notice(
      "supervised by systemd; the unit's TimeoutStartSec and TimeoutStopSec must leave time to "
      "load and save the data");
  address_ = socket;
  by_ = Supervisor::kSystemd;
  tell("STATUS=Tandem is loading...\n");
}

void Supervision::ready(bool as_replica) const {
  tell(as_replica ? "STATUS=Ready to accept connections in read-only mode. Waiting for MASTER <-> "
                    "REPLICA sync\nREADY=1\n"
                  : "STATUS=Ready to accept connections\nREADY=1\n");
}

void Supervision::stopping() const { tell("STOPPING=1\n"); }

void Supervision::tell(std::string_view text) const {
  if (by_ != Supervisor::kSystemd) return;
  if (auto sent = send_notice(address_, text); !sent) {
    log_warning("systemd cannot be told: {}", sent.error().text);
  }
}

}  // namespace tandem
