// SimBackground: the steps of long work, each in the world some time after the one before, between
// the turns of processes. So anything may happen between two of them, by the seed.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "io/background.h"
#include "sim/world.h"

namespace tandem {

class SimBackground final : public Background {
 public:
  // `after_step` may be null (sim/process.h).
  SimBackground(SimWorld& world, std::string name, Callback after_step)
      : world_(world), name_(std::move(name)), after_step_(std::move(after_step)) {}
  ~SimBackground() override;

  void begin(Step step) override;

 private:
  void schedule();
  void run_step();

  SimWorld& world_;
  const std::string name_;
  Callback after_step_;
  std::deque<Step> works_;
  std::optional<SimWorld::EventId> next_;
};

}  // namespace tandem
