#include "sim/process.h"

#include <utility>

#include "base/check.h"
#include "sim/loop.h"

namespace tandem {

SimProcess::SimProcess(SimWorld& world, std::string address, std::string name)
    : world_(world),
      clock_(world),
      loop_(world, clock_, address),
      host_(world.wire(), std::move(address), std::move(name)),
      network_(host_, loop_),
      files_(world.chance().next()) {}

SimProcess::~SimProcess() {
  if (running_) kill();
}

void SimProcess::start(const Program& program) {
  CHECK(!running_, "a process is started once");
  world_.note("start " + address());
  running_ = true;
  host_.set_running(true);
  tasks_ = std::make_unique<Scope>();
  program_ = program(*this);
  loop_.kick();
}

std::unique_ptr<Background> SimProcess::make_background(Callback after_step) {
  return std::make_unique<SimBackground>(world_, address(), std::move(after_step));
}

void SimProcess::destroy_program() {
  tasks_.reset();
  program_.reset();
  loop_.forget();
  running_ = false;
}

void SimProcess::stop() {
  if (!running_) return;
  world_.note("stop " + address());
  destroy_program();
}

void SimProcess::kill() {
  if (!running_) return;
  world_.note("kill " + address());
  host_.crash(/*reset_connections=*/true);
  files_.set_cut_off(true);
  destroy_program();
  files_.set_cut_off(false);
}

void SimProcess::lose_power(bool keep_part) {
  world_.note("power loss " + address());
  host_.crash(/*reset_connections=*/false);
  files_.set_cut_off(true);
  destroy_program();
  files_.set_cut_off(false);
  host_.set_running(false);
  files_.lose_power(keep_part);
}

}  // namespace tandem
