#include "sim/background.h"

#include <utility>

namespace tandem {
namespace {

constexpr int64_t kStepUsMax = 5'000;

}  // namespace

SimBackground::~SimBackground() {
  if (next_) world_.cancel(*next_);
}

void SimBackground::begin(Step step) {
  works_.push_back(std::move(step));
  if (!next_) schedule();
}

void SimBackground::schedule() {
  next_ = world_.schedule_after_us(world_.between(1, kStepUsMax), [this] { run_step(); });
}

void SimBackground::run_step() {
  next_.reset();
  world_.note(name_ + " background");
  if (!works_.front()()) works_.pop_front();
  if (after_step_ != nullptr) after_step_();
  if (!works_.empty() && !next_) schedule();
}

}  // namespace tandem
