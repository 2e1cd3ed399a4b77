#include "server/client/reply_output.h"

#include <limits>
#include <utility>

namespace tandem {
namespace {

constexpr size_t kBytesKept = 64 * 1024;     // of an empty buffer
constexpr size_t kSendBytesMax = 64 * 1024;  // at once to a slow reader, who shows life by each

void give_back(std::string& buffer) {
  if (buffer.empty() && buffer.capacity() > kBytesKept) std::string().swap(buffer);
}

}  // namespace

void ReplyOutput::set_limit(int64_t bytes_max) {
  limit_bytes_ = bytes_max;
  if (bytes_max == 0) {
    writer_.set_bound(std::numeric_limits<size_t>::max());
  } else {
    const auto allowed = static_cast<size_t>(bytes_max);
    const size_t on_the_way = in_flight_.size() - sent_;
    writer_.set_bound(on_the_way < allowed ? allowed - on_the_way : 0);
  }
}

void ReplyOutput::set_mode(ReplyMode mode) {
  if (mode == ReplyMode::kSkipNext && mode_ == ReplyMode::kOff) return;
  mode_ = mode;
  is_heard() ? writer_.resume() : writer_.divert(unheard_);
}

void ReplyOutput::end_unheard() {
  unheard_.clear();
  give_back(unheard_);
  if (!is_heard() && writer_.is_full()) set_limit(limit_bytes_);
  if (mode_ == ReplyMode::kSkipNext) {
    set_mode(ReplyMode::kSkipThis);
  } else if (mode_ == ReplyMode::kSkipThis) {
    set_mode(ReplyMode::kOn);
  }
}

void ReplyOutput::drop() {
  out_.clear();
  give_back(out_);
}

bool ReplyOutput::is_over(const OutputBufferLimit& limit, int64_t waiting_bytes,
                          int64_t monotonic_ms) {
  constexpr int64_t kMsPerSecond = 1000;
  const int64_t bytes = static_cast<int64_t>(unsent_bytes()) + waiting_bytes;
  const auto over = [&](int64_t bytes_max) { return bytes_max != 0 && bytes >= bytes_max; };
  if (!over(limit.soft_bytes.get())) {
    soft_limit_since_ms_ = 0;
  } else if (soft_limit_since_ms_ == 0) {
    soft_limit_since_ms_ = monotonic_ms;
  } else if (monotonic_ms - soft_limit_since_ms_ > limit.soft_seconds.get() * kMsPerSecond) {
    return true;
  }
  return over(limit.hard_bytes.get());
}

void ReplyOutput::flush() {
  if (sending_) return show();
  if (!out_.empty() && !parts_.stop.requested()) {
    const size_t taken = parts_.stream.try_write(out_);
    count_sent(taken);
    if (taken < out_.size()) {
      in_flight_.swap(out_);
      sent_ = taken;
      sending_ = true;
      tasks_.spawn(send_rest());
      return;
    }
    drop();
  }
  after_flush();
}

void ReplyOutput::count_sent(size_t bytes) {
  parts_.counters.output_bytes.add(bytes);
  parts_.counters.writes.add(1);
}

void ReplyOutput::after_flush() {
  show();
  if (closing_ && unsent_bytes() == 0) parts_.stop.request();
}

void ReplyOutput::show() {
  const size_t room = out_.capacity() + unheard_.capacity() + in_flight_.capacity();
  parts_.card.reply_room_bytes.store(static_cast<int64_t>(room), std::memory_order_relaxed);
  parts_.card.output_bytes.store(static_cast<int64_t>(unsent_bytes()), std::memory_order_relaxed);
  if (parts_.memory != nullptr) parts_.memory->recount(parts_.card);
}

Task<void> ReplyOutput::send_rest() {
  while (true) {
    show();
    const Bytes piece = Bytes(in_flight_).substr(sent_, kSendBytesMax);
    auto written = co_await parts_.stream.write(piece, parts_.stop.token());
    if (!written) {
      parts_.stop.request();
      break;
    }
    count_sent(piece.size());
    // Who takes bytes is not idle.
    parts_.card.last_active_ms.store(parts_.stream.loop().clock().monotonic_ms(),
                                     std::memory_order_relaxed);
    sent_ += piece.size();
    if (sent_ < in_flight_.size()) continue;
    in_flight_.clear();
    sent_ = 0;
    if (out_.empty()) break;
    in_flight_.swap(out_);
  }
  std::string().swap(in_flight_);  // an assignment would keep the room
  sent_ = 0;
  sending_ = false;
  give_back(out_);
  after_flush();
}

}  // namespace tandem
