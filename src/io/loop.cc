// The inbox: callbacks and rung doorbells under a short lock, and a count of both that the loop
// reads without it just before it sleeps. Whoever adds something wakes the loop; how, and whether
// that needs the kernel, is wake()'s matter.
#include "io/loop.h"

namespace tandem {

void Loop::stop() {
  stop_requested_.store(true);
  wake();
}

void Loop::post(Callback callback) {
  {
    Guard guard(inbox_lock_);
    posted_.push_back(std::move(callback));
    count_in();
  }
  wake();
}

void Loop::run_inbox() {
  std::vector<Callback> posted;
  uint32_t bells = 0;
  {
    Guard guard(inbox_lock_);
    posted.swap(posted_);
    bells = inbox_count_.load(std::memory_order_relaxed) - static_cast<uint32_t>(posted.size());
    inbox_count_.fetch_sub(static_cast<uint32_t>(posted.size()), std::memory_order_seq_cst);
  }
  for (Callback& callback : posted) callback();
  // Only as many as were there: a bell that rings itself waits for the next round.
  for (; bells > 0; bells--) {
    Doorbell* bell = nullptr;
    {
      Guard guard(inbox_lock_);
      if (rung_.empty()) return;
      bell = &rung_.pop_front();
      inbox_count_.fetch_sub(1, std::memory_order_seq_cst);
    }
    bell->answer();
  }
}

void Loop::settle() {
  do {
    ready_.run();
    IntrusiveList<BeforeSleep> turn;
    turn.take(hooks_);
    while (!turn.empty()) {
      BeforeSleep& hook = turn.pop_front();
      hooks_.push_back(hook);
      hook.hook_();
    }
  } while (!ready_.empty());
}

void Loop::forget_all() {
  ready_.clear();
  hooks_.clear();
  stop_requested_.store(false);
  std::vector<Callback> dropped;
  Guard guard(inbox_lock_);
  dropped.swap(posted_);
  rung_.clear();
  inbox_count_.store(0, std::memory_order_seq_cst);
}

Doorbell::~Doorbell() {
  Guard guard(loop_.inbox_lock_);
  if (!linked()) return;
  unlink();
  loop_.inbox_count_.fetch_sub(1, std::memory_order_seq_cst);
}

void Doorbell::ring_first() {
  if (rung_.exchange(true, std::memory_order_seq_cst)) return;
  {
    Guard guard(loop_.inbox_lock_);
    loop_.rung_.push_back(*this);
    loop_.count_in();
  }
  loop_.wake();
}

void Doorbell::answer() {
  rung_.store(false, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  on_ring_();
}

}  // namespace tandem
