// ioredis: pipelines, transactions, scripts.
import Redis from "ioredis";
import { errorOf, host, port, report } from "./report.mjs";

const redis = new Redis({ host, port });
const other = new Redis({ host, port });

async function pipelines() {
  const mixed = await redis
    .pipeline()
    .set("word", "a")
    .incr("word")
    .lpush("list", 1, 2)
    .lrange("list", 0, -1)
    .exec();
  const long = redis.pipeline();
  for (let i = 0; i < 5000; i++) long.incrby("sum", i);
  const sums = await long.exec();
  const automatic = new Redis({ host, port, enableAutoPipelining: true });
  const before = await commandsOf(automatic);
  const together = await Promise.all(
    [...Array(100).keys()].map((i) => automatic.setex(`auto:${i}`, 60, i)),
  );
  const keys = [];
  for await (const some of redis.scanStream({ match: "auto:*", count: 10 })) keys.push(...some);
  await automatic.quit();
  return {
    mixed: mixed.map(([error, value]) => (error ? error.message : value)),
    last: sums.at(-1),
    errors: sums.filter(([error]) => error).length,
    together: together.filter((reply) => reply === "OK").length,
    counted: (await commandsOf(redis)) >= before + 100,
    keys: new Set(keys).size,
  };
}

async function commandsOf(client) {
  return Number(/total_commands_processed:(\d+)/.exec(await client.info("stats"))[1]);
}

async function transactions() {
  const done = await redis.multi().set("balance", 10).decrby("balance", 3).get("balance").exec();
  await redis.watch("balance");
  await other.set("balance", 100);
  const conflict = await redis.multi().set("balance", 0).exec();
  await redis.watch("balance");
  const alone = await redis.multi().incr("balance").exec();
  const failing = await redis.multi().set("text", "a").hset("text", "f", 1).set("after", 1).exec();
  const aborted = await errorOf(() =>
    redis
      .multi({ pipeline: false })
      .then(() => redis.call("nosuchcommand"))
      .catch(() => redis.exec()),
  );
  return {
    done,
    conflict,
    alone,
    aborted,
    balance: await redis.get("balance"),
    failing: failing.map(([error, value]) => (error ? error.message : value)),
    after: await redis.get("after"),
  };
}

async function scripts() {
  redis.defineCommand("addCapped", {
    numberOfKeys: 1,
    lua: `local value = redis.call('INCRBY', KEYS[1], ARGV[1])
          if value > tonumber(ARGV[2]) then
            redis.call('SET', KEYS[1], ARGV[2])
            return redis.error_reply('CAPPED at ' .. ARGV[2])
          end
          return {value, redis.call('PTTL', KEYS[1]), cjson.encode({v = value})}`,
  });
  const first = await redis.addCapped("capped", 4, 10);
  // The client sends a script's hash; after a flush it must be told that there is none.
  const unknown = await redis
    .script("FLUSH")
    .then(() => errorOf(() => redis.evalsha("0".repeat(40), 0)));
  const again = await redis.addCapped("capped", 4, 10);
  const capped = await errorOf(() => redis.addCapped("capped", 4, 10));
  const library = `#!lua name=counting
    redis.register_function('twice', function(keys, arguments)
      return redis.call('INCRBY', keys[1], 2 * arguments[1])
    end)`;
  await redis.function("LOAD", library);
  return {
    first,
    unknown,
    again,
    capped,
    value: await redis.get("capped"),
    twice: await redis.fcall("twice", 1, "capped", 21),
    readonly: (
      await errorOf(() => redis.eval_ro("return redis.call('SET', KEYS[1], 1)", 1, "a"))
    ).replace(/script: .*/, "script"),
  };
}

report({
  pipelines: await pipelines(),
  transactions: await transactions(),
  scripts: await scripts(),
});
await Promise.all([redis.quit(), other.quit()]);
