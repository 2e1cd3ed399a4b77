// A thread that lives as long as there is work, with all steps of a work in a row.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "io/background.h"

namespace tandem {

class ThreadBackground final : public Background {
 public:
  // `name` is the thread's (base/thread.h).
  explicit ThreadBackground(std::string name) : name_(std::move(name)) {}
  ~ThreadBackground() override;

  void begin(Step step) override;

 private:
  void run();
  // The next step of the oldest work; false: there is none, and the thread ends.
  bool take(Step& step);
  bool ending();

  const std::string name_;
  std::mutex lock_;
  std::deque<Step> waiting_;
  bool running_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tandem
