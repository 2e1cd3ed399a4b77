// For tests of this part: a server by rote, that answers each request as a test says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/byte_stream.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "resp/request.h"

namespace tandem {

class FakeTarget {
 public:
  static constexpr uint16_t kPort = 6379;

  // What it says, request by request, in pieces; and what it does then.
  struct Script {
    std::vector<std::vector<std::string>> answers = {};
    enum class End { kSilent, kCloses } end = End::kSilent;
    int64_t pause_ms = 0;  // before each piece
    bool reads = true;
  };

  FakeTarget(Loop& loop, Network& network, Script script)
      : loop_(loop), network_(network), script_(std::move(script)) {
    listener_ = std::move(*network_.listen("0.0.0.0", kPort, 16));
    scope_.spawn(accept());
  }

  // Every request, its arguments joined by blanks.
  std::vector<std::string> requests;
  int connections = 0;

 private:
  Task<void> accept() {
    for (;;) {
      auto socket = co_await listener_->accept(scope_.token());
      if (!socket) co_return;
      ++connections;
      scope_.spawn(converse(std::move(*network_.adopt(std::move(*socket)))));
    }
  }

  Task<void> converse(std::unique_ptr<ByteStream> stream) {
    std::string received;
    RequestParser parser;
    char buffer[4096];
    size_t answered = 0;
    for (;;) {
      while (parser.next(received) == ParseStatus::kRequest) {
        std::string line;
        for (const Bytes arg : parser.args()) line += (line.empty() ? "" : " ") + std::string(arg);
        requests.push_back(line);
        received.erase(0, parser.raw().size());
        if (answered == script_.answers.size()) continue;
        for (const std::string& piece : script_.answers[answered++]) {
          if (!co_await loop_.sleep_ms(script_.pause_ms, scope_.token())) co_return;
          if (!co_await stream->write(Bytes(piece), scope_.token())) co_return;
        }
      }
      // What it has said is not lost with what it has not read.
      const bool is_over = answered == script_.answers.size();
      if (is_over && script_.end == Script::End::kCloses) stream->shutdown();
      if (!script_.reads) {
        co_await loop_.sleep_ms(3'600'000, scope_.token());
        co_return;
      }
      const auto count = co_await stream->read(buffer, scope_.token());
      if (!count) co_return;
      received.append(buffer, *count);
    }
  }

  Loop& loop_;
  Network& network_;
  const Script script_;
  std::unique_ptr<Listener> listener_;
  Scope scope_;
};

}  // namespace tandem
