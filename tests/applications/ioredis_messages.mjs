// ioredis: channels, patterns and keyspace events; consumer groups with a consumer that dies.
import Redis from "ioredis";
import { Inbox, errorOf, host, port, report } from "./report.mjs";

const redis = new Redis({ host, port });

async function channels() {
  const subscriber = new Redis({ host, port });
  const inbox = new Inbox();
  subscriber.on("message", (channel, text) => inbox.put([channel, text]));
  subscriber.on("pmessage", (pattern, channel, text) => inbox.put([pattern, channel, text]));
  const counts = [await subscriber.subscribe("news", "sport"), await subscriber.psubscribe("n*")];
  const refused = await errorOf(() => subscriber.get("key"));
  const receivers = [
    await redis.publish("news", "one"),
    await redis.publish("sport", "two"),
    await redis.publish("nobody's", "three"),
    await redis.publish("elsewhere", "four"),
  ];
  const heard = await inbox.until(4);
  const known = await redis.pubsub("NUMSUB", "news", "elsewhere");
  await subscriber.unsubscribe("news", "sport");
  await subscriber.punsubscribe("n*");
  const after = await subscriber.get("key");
  await subscriber.quit();
  return { counts, refused, receivers, heard, known, after };
}

async function groups() {
  const make = () => new Redis({ host, port });
  const [first, second] = [make(), make()];
  await redis.xgroup("CREATE", "orders", "shop", "$", "MKSTREAM");
  const again = await errorOf(() => redis.xgroup("CREATE", "orders", "shop", "$"));
  const read = (client, name) =>
    client.xreadgroup("GROUP", "shop", name, "COUNT", 1, "BLOCK", 20000, "STREAMS", "orders", ">");
  // Both wait before there is anything: each gets an entry of its own.
  const waiting = [read(first, "a"), read(second, "b")];
  const ids = [];
  for (const item of ["tea", "milk", "bread"])
    ids.push(await redis.xadd("orders", "*", "item", item));
  const replies = await Promise.all(waiting);
  const got = replies.map((reply) => reply[0][1][0][1]);
  const acknowledged = await redis.xack("orders", "shop", replies[0][0][1][0][0]);
  const pending = await redis.xpending("orders", "shop");
  const claimed = await redis.xautoclaim("orders", "shop", "c", 0, "0-0");
  const nothing = await first.xreadgroup(
    "GROUP",
    "shop",
    "a",
    "BLOCK",
    1,
    "STREAMS",
    "orders",
    "0",
  );
  const group = (await redis.xinfo("GROUPS", "orders"))[0];
  await Promise.all([first.quit(), second.quit()]);
  return {
    again,
    acknowledged,
    got: got.map((fields) => fields[1]).sort(),
    pending: [pending[0], pending[3].map(([, count]) => count)],
    claimed: [
      claimed[0],
      claimed[1].map(([id, fields]) => [ids.indexOf(id), fields]).length,
      claimed[2],
    ],
    nothing: nothing.map(([name, entries]) => [name, entries]),
    group: group.map((part) => (ids.includes(part) ? ids.indexOf(part) : part)),
  };
}

report({ channels: await channels(), groups: await groups() });
await redis.quit();
