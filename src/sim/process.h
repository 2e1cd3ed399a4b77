// SimProcess: a simulated machine with one process on it: its loop, network, disk and clock. The
// disk stays when the process or the machine dies.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "io/background.h"
#include "io/task.h"
#include "sim/files.h"
#include "sim/loop.h"
#include "sim/network.h"
#include "sim/world.h"

namespace tandem {

class SimProcess {
 public:
  // What a process runs: builds the program and gives its owner, which is destroyed when the
  // process ends. Tasks that it spawns into tasks() are destroyed before it.
  using Program = std::function<std::shared_ptr<void>(SimProcess&)>;

  SimProcess(SimWorld& world, std::string address, std::string name);
  ~SimProcess();
  SimProcess(const SimProcess&) = delete;
  SimProcess& operator=(const SimProcess&) = delete;

  const std::string& address() const noexcept { return host_.address(); }
  SimLoop& loop() noexcept { return loop_; }
  Network& network() noexcept { return network_; }
  SimFiles& files() noexcept { return files_; }
  SimClock& clock() noexcept { return clock_; }
  Scope& tasks() noexcept { return *tasks_; }
  // A background of the program's own, which it destroys. `after_step` is called after each step,
  // with what the step held destroyed if it was a work's last, and before anything else happens.
  std::unique_ptr<Background> make_background(Callback after_step = {});
  // A seed for the program's own chance.
  uint64_t take_seed() { return world_.chance().next(); }

  // All four are called between turns, never from inside the process itself.
  void start(const Program& program);
  bool running() const noexcept { return running_; }
  // The program is destroyed as it would be at an orderly end: its streams close.
  void stop();
  // As kill -9: the kernel lives on, resets the connections and refuses new ones; the disk keeps
  // all that was written.
  void kill();
  // The machine is gone without a word, until the next start(); the disk keeps what was durable,
  // and of the rest what the seed says (nothing, without `keep_part`).
  void lose_power(bool keep_part = true);

 private:
  void destroy_program();

  SimWorld& world_;
  SimClock clock_;
  SimLoop loop_;
  SimHost host_;
  SimNetwork network_;
  SimFiles files_;
  bool running_ = false;
  std::unique_ptr<Scope> tasks_;
  std::shared_ptr<void> program_;
};

}  // namespace tandem
