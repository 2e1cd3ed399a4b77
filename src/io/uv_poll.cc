// libuv's handle must outlive the descriptor by a turn, so it is an allocation of its own that is
// freed when libuv says so; `owner` is null from close() on.
#include "io/uv_poll.h"

#include <utility>

#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "io/uv_loop.h"

namespace tandem {

struct UvPoll::State {
  uv_poll_t poll;
  UvLoop* loop;
  Owner* owner;
  int interest = 0;

  static void on_event(uv_poll_t* poll, int status, int events) {
    State& state = *static_cast<State*>(poll->data);
    state.loop->note_awake();
    if (status < 0) {
      // libuv stops watching a socket in error; the read or write finds out which one it is.
      state.interest = 0;
      events = UV_READABLE | UV_WRITABLE;
    }
    const bool in_vain = (events & UV_READABLE) && state.owner && !state.owner->wants_read();
    if ((events & UV_READABLE) && state.owner) state.owner->on_readable();
    if ((events & UV_WRITABLE) && state.owner) state.owner->on_writable();
    if (!state.owner) return;
    int wanted = in_vain ? 0 : state.interest & UV_READABLE;
    if (state.owner->wants_read()) wanted |= UV_READABLE;
    if (state.owner->wants_write()) wanted |= UV_WRITABLE;
    set_interest(state, wanted);
  }
};

UvPoll::UvPoll(UvLoop& loop, int descriptor, Owner& owner)
    : state_(new State{{}, &loop, &owner}), descriptor_(descriptor) {
  const int made = uv_poll_init(loop.raw(), &state_->poll, descriptor);
  CHECK(made == 0, "a socket can be watched");
  state_->poll.data = state_;
}

void UvPoll::set_interest(State& state, int events) {
  if (events == state.interest) return;
  state.interest = events;
  if (events == 0) {
    uv_poll_stop(&state.poll);
  } else {
    const int started = uv_poll_start(&state.poll, events, State::on_event);
    CHECK(started == 0, "a socket can be watched");
  }
}

void UvPoll::watch_reads() { set_interest(*state_, state_->interest | UV_READABLE); }

void UvPoll::watch_writes() { set_interest(*state_, state_->interest | UV_WRITABLE); }

void UvPoll::close() {
  if (!state_) return;
  State* state = std::exchange(state_, nullptr);
  state->owner = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&state->poll),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace tandem
