// Commands as transcripts, run through a real executor on a real keyspace with an active log:
//
//   Stage stage;
//   EXPECT_TRANSCRIPT(stage, R"(
//   > SET k v EX 10
//   OK
//   ~ SET k v PXAT 1010000
//   > LPOP list
//   nil
//   )");
//
// "> " is a command of the first client, "b> " one of the client named b; then come the reply, what
// went to replicas ("~ ", without SELECT 0), and replies that reached blocked clients ("b< ").
// "+ 500" lets so many milliseconds pass. The expectation is the whole transcript, so a test cannot
// forget to look. For tests only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_clock.h"
#include "commands/table.h"
#include "engine/executor.h"
#include "engine/testing.h"
#include "resp/reply_reader.h"
#include "resp/request.h"

namespace tandem {

struct StageClient final : ClientState {
  explicit StageClient(ClientKind client_kind) : ClientState(client_kind) {}
  // Executes what comes from a primary, if it obeys.
  StageClient(ClientKind client_kind, bool obeys) : ClientState(client_kind, obeys) {}
  std::function<void(std::string)> unblocker() override {
    return [this](std::string reply) {
      waiter = nullptr;
      unblocked.push_back(std::move(reply));
    };
  }
  std::vector<std::string> unblocked;
};

// As redis-cli would put it on one line: "text" is bare unless it has spaces or is empty.
inline std::string rendered(const Reply& reply) {
  switch (reply.kind) {
    case ReplyKind::kError:
      return "!" + reply.text;
    case ReplyKind::kInteger:
      return std::to_string(reply.integer);
    case ReplyKind::kBoolean:
      return reply.integer != 0 ? "true" : "false";
    case ReplyKind::kNull:
      return reply.null_array ? "nil-array" : "nil";
    case ReplyKind::kArray:
    case ReplyKind::kMap:
    case ReplyKind::kSet:
    case ReplyKind::kPush: {
      std::string text = reply.kind == ReplyKind::kMap ? "%[" : "[";
      for (const Reply& element : reply.elements) {
        text += (text.back() == '[' ? "" : " ") + rendered(element);
      }
      return text + "]";
    }
    case ReplyKind::kDouble:
      return "," + reply.text;
    default:
      const bool plain = !reply.text.empty() && reply.text.find(' ') == std::string::npos;
      return plain ? reply.text : '"' + reply.text + '"';
  }
}

inline std::string rendered(Bytes bytes) {
  ReplyReader reader;
  const Result<size_t> taken = reader.feed(bytes);
  if (!taken || *taken != bytes.size()) return "(malformed reply)";
  return rendered(reader.take());
}

class Stage : public OpenEngine<TestClock> {
 public:
  Stage() : OpenEngine({.keyspace = {.databases = 16, .hash_seed = 7}}, rows()) {}

  std::string reply_bytes(StageClient& client, std::span<const Bytes> args) {
    std::string out;
    ReplyWriter reply(out, client.protocol);
    executor.begin_batch();
    last = executor.execute(client, args, {}, reply);
    return out;
  }
  // One command of the first client, rendered.
  std::string run(Bytes line) { return command(client(""), line); }
  StageClient& client(const std::string& name) {
    std::unique_ptr<StageClient>& client = clients_[name];
    if (client == nullptr) client = std::make_unique<StageClient>(ClientKind::kNormal);
    return *client;
  }

  // Runs the commands of `script` and returns it with what happened in place of what it expects.
  std::string play(Bytes script) {
    std::string transcript;
    while (!script.empty()) {
      const size_t end = std::min(script.find('\n'), script.size());
      perform(script.substr(0, end), transcript);
      script.remove_prefix(std::min(end + 1, script.size()));
    }
    return transcript;
  }

  Executor executor{engine, 1};
  Outcome last = Outcome::kDone;

  // What went to replicas since the last call, a rendered command each; without SELECT 0.
  std::vector<std::string> effects() {
    const std::string bytes = read_on(*cursor_);
    std::vector<std::string> commands;
    for (Bytes rest = bytes; !rest.empty();) {
      ReplyReader reader;
      rest.remove_prefix(*reader.feed(rest));
      std::string text = rendered(reader.take());
      text = text.substr(1, text.size() - 2);
      if (text != "SELECT 0") commands.push_back(std::move(text));
    }
    return commands;
  }

 private:
  static std::vector<CommandRow> rows() {
    std::vector<CommandRow> all = engine_rows();
    std::vector<CommandRow> more = keyspace_rows();
    std::move(more.begin(), more.end(), std::back_inserter(all));
    return all;
  }

  std::string command(StageClient& client, Bytes line) {
    std::string storage;
    std::vector<Bytes> args;
    if (!split_arguments(line, storage, args)) return "(unbalanced quotes)";
    const std::string out = reply_bytes(client, args);
    return last == Outcome::kBlocked ? "(waits)" : rendered(out);
  }

  void pass(int64_t milliseconds) {
    clock.now_us += milliseconds * 1000;
    for (auto& [name, client] : clients_) {
      const std::shared_ptr<Waiter> waiter = client->waiter;
      if (waiter == nullptr || waiter->deadline_ms() == 0) continue;
      std::string reply;
      if (waiter->deadline_ms() > clock.unix_ms() || !executor.time_out(waiter, reply)) continue;
      client->waiter = nullptr;
      client->unblocked.push_back(std::move(reply));
    }
  }

  void perform(Bytes line, std::string& transcript) {
    const size_t mark = line.find("> ");
    const bool is_command = mark != Bytes::npos && mark <= 1;
    if (is_command) {
      const std::string name(line.substr(0, mark));
      transcript += std::string(line) + "\n";
      transcript += command(client(name), line.substr(mark + 2)) + "\n";
    } else if (line.starts_with("+ ")) {
      transcript += std::string(line) + "\n";
      pass(*parse_int64(line.substr(2)));
    } else {
      if (line.empty() || line.starts_with("# ")) transcript += std::string(line) + "\n";
      return;
    }
    for (const std::string& effect : effects()) transcript += "~ " + effect + "\n";
    for (auto& [name, client] : clients_) {
      for (const std::string& reply : client->unblocked) {
        transcript += name + "< " + rendered(reply) + "\n";
      }
      client->unblocked.clear();
    }
  }

  std::unique_ptr<LogCursor> cursor_ = begin_log();
  std::map<std::string, std::unique_ptr<StageClient>> clients_;
};

}  // namespace tandem

#define EXPECT_TRANSCRIPT(stage, script) EXPECT_EQ((stage).play(script), script)
