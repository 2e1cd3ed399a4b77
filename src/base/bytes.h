// Bytes are looked at through std::string_view and owned by std::string: keys, values and the wire
// are all binary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tandem {

using Bytes = std::string_view;

// Where encoders write. Implementations: a string (below), a file, a checksum, a snapshot chunk.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(Bytes bytes) = 0;
};

class StringSink final : public ByteSink {
 public:
  explicit StringSink(std::string& out) : out_(out) {}
  void write(Bytes bytes) override { out_.append(bytes); }

 private:
  std::string& out_;
};

}  // namespace tandem
