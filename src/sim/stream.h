// SimStream: a process's stream over its end of a simulated connection.
#pragma once

#include <memory>

#include "io/byte_stream.h"
#include "sim/end.h"
#include "sim/loop.h"

namespace tandem {

class SimStream final : public ByteStream, private SimSource, private SimEndListener {
 public:
  SimStream(SimLoop& loop, std::shared_ptr<SimEnd> end, int descriptor);
  ~SimStream() override { close(); }

  Result<size_t> try_read(std::span<char> buffer) override;
  bool peer_has_closed() const override { return end_->ended(); }
  size_t try_write(std::span<const Bytes> parts) override;
  using ByteStream::try_write;
  void shutdown() override { end_->shutdown(); }
  void close() override;
  bool closed() const override { return closed_; }
  const Address& peer() const override { return end_->peer(); }
  const Address& local() const override { return end_->local(); }
  int descriptor() const override { return closed_ ? -1 : descriptor_; }
  void set_keepalive(int) override {}
  void set_no_delay(bool on) override { no_delay_ = on; }
  bool no_delay() const { return no_delay_; }
  Loop& loop() const override { return loop_; }

 private:
  bool begin_read(Read& read) override;
  void cancel_read(Read&) noexcept override { reader_ = nullptr; }
  bool begin_write(Write& write) override;
  void cancel_write(Write&) noexcept override { writer_ = nullptr; }
  void on_ready() override;
  void on_end_changed() override;
  // Hands over what there is room for.
  void flush(Write& write);

  SimLoop& loop_;
  std::shared_ptr<SimEnd> end_;
  int descriptor_;
  bool closed_ = false;
  bool no_delay_ = true;  // as real ones begin
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
};

}  // namespace tandem
