// Any bytes at all as the payload of RESTORE, before a footer that fits, and then every way in
// which commands use what came of it: they read it, cut it, grow it into its other forms, copy and
// store it. Which of them, one after the other, the input's first byte says.
//
// Properties:
//   1. Nothing crashes, and no reply is malformed.
//   2. A replica that executes the effects has the same data.
//   3. What DUMP makes of the value afterwards is accepted again, as the same value.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/checksum.h"
#include "base/number.h"
#include "base/test_clock.h"
#include "commands/digest.h"
#include "commands/table.h"
#include "engine/executor.h"
#include "engine/testing.h"
#include "rdb/rdb_format.h"
#include "resp/reply_reader.h"
#include "resp/request.h"

namespace tandem {
namespace {

constexpr int kVersion = 11;

// Each is a command; "k" holds the value, "c" is another key.
// clang-format off: some to a line
constexpr Bytes kCommands[] = {
    "COPY k c REPLACE", "OBJECT ENCODING k", "MEMORY USAGE k", "TYPE k", "SORT c ALPHA LIMIT 0 9",
    // strings
    "GET k", "GETRANGE k -5 -1", "APPEND k xyz", "SETRANGE k 70 abc", "INCR k", "INCRBYFLOAT k 1.5",
    "BITCOUNT k", "BITPOS k 0", "SETBIT k 99 1", "BITFIELD k GET u63 1 SET i5 3 7",
    "BITOP NOT c k", "LCS k c IDX WITHMATCHLEN", "PFCOUNT k", "PFADD k a b c", "PFMERGE c k",
    "PFMERGE k c",
    // lists
    "LLEN k", "LRANGE k 0 -1", "LINDEX k -2", "LPOS k a COUNT 0", "LINSERT k AFTER a b",
    "LSET k 0 zz", "LREM k -1 b", "LTRIM k 1 -2", "RPUSH k 1 two 33333333333", "LPUSH k x",
    "LPOP k 2", "RPOPLPUSH k c", "LMPOP 2 k c LEFT COUNT 3",
    // sets
    "SCARD k", "SMEMBERS k", "SISMEMBER k a", "SADD k 5 six 777777777777", "SREM k 5 a",
    "SUNIONSTORE c k c", "SINTERSTORE c k c", "SDIFFSTORE c k c", "SPOP k", "SMOVE k c six",
    "SRANDMEMBER k -3", "SSCAN k 0 COUNT 1000",
    // hashes
    "HLEN k", "HGETALL k", "HGET k f", "HSET k f v g 12 h 3.5", "HINCRBY k g 4",
    "HINCRBYFLOAT k h 0.5", "HDEL k f a", "HRANDFIELD k 5 WITHVALUES", "HSTRLEN k g",
    "HSCAN k 0 COUNT 1000",
    // sorted sets
    "ZCARD k", "ZRANGE k 0 -1 WITHSCORES", "ZRANGE k (0 +inf BYSCORE REV", "ZRANGEBYLEX k - +",
    "ZRANK k a WITHSCORE", "ZSCORE k a", "ZADD k 1 a -inf b 2.5 c", "ZINCRBY k 2 a", "ZREM k b",
    "ZCOUNT k -inf 1", "ZUNIONSTORE c 2 k c WEIGHTS 2 -1 AGGREGATE MIN", "ZDIFFSTORE c 2 c k",
    "ZREMRANGEBYRANK k 0 0", "ZREMRANGEBYSCORE k 5 6", "ZPOPMAX k", "ZRANDMEMBER k 3 WITHSCORES",
    "ZSCAN k 0 COUNT 1000", "GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 9000 km ASC", "GEOHASH k a",
    // streams
    "XLEN k", "XRANGE k - +", "XREVRANGE k + - COUNT 3", "XINFO STREAM k FULL", "XINFO GROUPS k",
    "XREAD STREAMS k 0", "XADD k 18446744073709551614-5 f v g w", "XADD k * f v",
    "XGROUP CREATE k fresh 0", "XREADGROUP GROUP fresh me COUNT 2 STREAMS k >",
    "XPENDING k fresh", "XPENDING k fresh - + 9", "XAUTOCLAIM k fresh you 0 0 COUNT 2",
    "XINFO CONSUMERS k fresh", "XACK k fresh 0-1 1-1", "XTRIM k MAXLEN ~ 2",
    "XDEL k 1-1 2-1", "XTRIM k MAXLEN 1", "XSETID k 18446744073709551615-1",
    "XGROUP DELCONSUMER k fresh me", "XGROUP DESTROY k fresh",
};
// clang-format on

struct FuzzClient final : ClientState {
  FuzzClient(ClientKind client_kind, bool obeys) : ClientState(client_kind, obeys) {}
};

std::vector<CommandRow> rows() {
  std::vector<CommandRow> all = engine_rows();
  std::vector<CommandRow> more = keyspace_rows();
  std::move(more.begin(), more.end(), std::back_inserter(all));
  return all;
}

class Node : public OpenEngine<TestClock> {
 public:
  explicit Node(bool obeys)
      : OpenEngine({.keyspace = {.databases = 1, .hash_seed = 7}}, rows()),
        client_(ClientKind::kNormal, obeys) {
    // Whatever the value's size, it can get into its other form.
    limits.hash_max_listpack_entries = 4;
    limits.set_max_intset_entries = 4;
    limits.set_max_listpack_entries = 6;
    limits.sorted_set_max_listpack_entries = 4;
    limits.list_max_listpack_size = 4;
    limits.stream_node_max_entries = 3;
  }

  std::string run(std::span<const Bytes> args) {
    std::string out;
    ReplyWriter reply(out, 3);
    executor_.begin_batch();
    executor_.execute(client_, args, {}, reply);
    ReplyReader reader;
    const Result<size_t> taken = reader.feed(out);
    CHECK(taken && *taken == out.size(), "a reply is well formed");
    return out;
  }

  std::string digest() {
    const ExclusiveGuard all(keyspace);
    Effects none;
    KeyAccess access(keyspace, limits, none);
    access.begin(clock.unix_ms(), ExpiryMode::kHide, {}, StripeSet::all());
    View view(access, 0);
    return digest_text(digest_of_all(all, view));
  }

  std::string effects() { return read_on(*cursor_); }

 private:
  std::unique_ptr<LogCursor> cursor_ = begin_log();
  Executor executor_{engine, 1};
  FuzzClient client_;
};

std::string with_footer(Bytes body) {
  std::string payload(body);
  char number[sizeof(uint64_t)];
  store_little_endian(number, static_cast<uint16_t>(kVersion));
  payload.append(number, sizeof(uint16_t));
  store_little_endian(number, crc64(0, payload));
  payload.append(number, sizeof(uint64_t));
  return payload;
}

// What replicas are told, executed by one.
void replay(const std::string& stream, Node& replica) {
  for (Bytes rest = stream; !rest.empty();) {
    ReplyReader reader;
    rest.remove_prefix(*reader.feed(rest));
    const Reply command = reader.take();
    std::vector<Bytes> args;
    for (const Reply& element : command.elements) args.emplace_back(element.text);
    const std::string reply = replica.run(args);
    CHECK(!reply.starts_with('-'), "a replica can execute what it is told");
  }
}

void run_line(Node& node, Bytes line) {
  std::string storage;
  std::vector<Bytes> args;
  CHECK(split_arguments(line, storage, args), "the line is well formed");
  node.run(args);
}

void check_dump(Node& node) {
  const Bytes dump[] = {"DUMP", "k"};
  std::string reply = node.run(dump);
  if (!reply.starts_with('$')) return;  // the key is gone
  ReplyReader reader;
  CHECK(reader.feed(reply), "a reply is well formed");
  const std::string payload = reader.take().text;
  const Bytes value[] = {"DEL", "c"};
  node.run(value);
  const Bytes restore[] = {"RESTORE", "c", "0", payload};
  CHECK(node.run(restore) == "+OK\r\n", "what DUMP made is accepted");
  const Bytes again[] = {"RESTORE", "k", "0", payload, "REPLACE"};
  CHECK(node.run(again) == "+OK\r\n", "and once more");
}

int restore(Bytes input) {
  if (input.empty()) return 0;
  static Node primary(/*obeys=*/false);
  static Node replica(/*obeys=*/true);
  for (Node* node : {&primary, &replica}) run_line(*node, "FLUSHALL");
  primary.effects();
  const std::string payload = with_footer(input.substr(1));
  const Bytes restore[] = {"RESTORE", "k", "0", payload};
  if (primary.run(restore) != "+OK\r\n") return 0;
  Random chosen(static_cast<uint8_t>(input[0]));
  for (const Bytes line : kCommands) {
    if (chosen.below(3) != 0) run_line(primary, line);
  }
  check_dump(primary);
  replay(primary.effects(), replica);
  CHECK(primary.digest() == replica.digest(), "a replica has the same data");
  return 0;
}

}  // namespace
}  // namespace tandem

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return tandem::restore(tandem::Bytes(reinterpret_cast<const char*>(data), size));
}
