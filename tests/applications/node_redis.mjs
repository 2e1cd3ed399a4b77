// node-redis over RESP3: pipelines, transactions, scripts, messages, consumer groups.
import { createClient, defineScript, WatchError } from "redis";
import { Inbox, errorOf, host, port, report } from "./report.mjs";

const RESP = 3;
const scripts = {
  addTwice: defineScript({
    NUMBER_OF_KEYS: 1,
    SCRIPT: "return redis.call('INCRBY', KEYS[1], 2 * ARGV[1])",
    parseCommand(parser, key, number) {
      parser.pushKey(key);
      parser.push(String(number));
    },
    transformReply: undefined,
  }),
};
const client = await createClient({ socket: { host, port }, RESP, scripts }).connect();
const other = await client.duplicate().connect();

async function pipelines() {
  const many = await Promise.all([...Array(2000).keys()].map((i) => client.incrBy("sum", i)));
  const mixed = await Promise.allSettled([
    client.set("word", "a"),
    client.incr("word"),
    client.get("word"),
  ]);
  await client.hSet("hash", { a: 1, b: 2 });
  await client.zAdd("board", [
    { score: 1.5, value: "x" },
    { score: 2, value: "y" },
  ]);
  return {
    last: many.at(-1),
    mixed: mixed.map((one) => one.value ?? one.reason.message),
    hash: { ...(await client.hGetAll("hash")) },
    board: await client.zRangeWithScores("board", 0, -1),
    score: await client.zScore("board", "x"),
    absent: await client.get("absent"),
    scanned: (await client.scan("0", { MATCH: "b*", COUNT: 100 })).keys,
  };
}

async function transactions() {
  const done = await client.multi().set("balance", 10).decrBy("balance", 3).get("balance").exec();
  await client.watch("balance");
  await other.set("balance", 100);
  let conflict = "none";
  try {
    await client.multi().set("balance", 0).exec();
  } catch (error) {
    conflict = error instanceof WatchError;
  }
  const failing = await client
    .multi()
    .set("text", "a")
    .hGetAll("text")
    .set("after", 1)
    .exec()
    .catch((error) => error.replies.map((reply) => reply?.message ?? reply));
  return {
    done,
    conflict,
    balance: await client.get("balance"),
    failing,
    after: await client.get("after"),
  };
}

async function scriptsAndFunctions() {
  const first = await client.addTwice("sum2", 4);
  await client.scriptFlush();
  const again = await client.addTwice("sum2", 4);
  const known = await client.scriptExists(scripts.addTwice.SHA1);
  // RESP3's own types as a script makes them.
  const types = await client
    .eval("redis.setresp(3); return {3.5, {double = 3.25}, {map = {a = 1}}, true, {err = 'NO'}}")
    .catch((error) => error.message);
  return { first, again, known, types: JSON.stringify(types) };
}

async function messages() {
  const subscriber = await client.duplicate().connect();
  const inbox = new Inbox();
  await subscriber.subscribe("news", (text, channel) => inbox.put([channel, text]));
  await subscriber.pSubscribe("n?ws", (text, channel) => inbox.put(["n?ws", channel, text]));
  const receivers = await client.publish("news", "one");
  // Over RESP3 a subscriber may go on asking.
  const asked = await subscriber.get("word");
  const heard = await inbox.until(2);
  const channels = await client.pubSubChannels();
  await subscriber.unsubscribe("news");
  const fewer = await client.publish("news", "two");
  await inbox.until(3);
  await subscriber.close();
  return { receivers, asked, heard, channels, fewer };
}

async function groups() {
  await client.xGroupCreate("orders", "shop", "$", { MKSTREAM: true });
  const again = await errorOf(() => client.xGroupCreate("orders", "shop", "$"));
  const waiting = other.xReadGroup(
    "shop",
    "a",
    { key: "orders", id: ">" },
    { COUNT: 10, BLOCK: 20000 },
  );
  const id = await client.xAdd("orders", "*", { item: "tea" });
  const got = await waiting;
  const pending = await client.xPending("orders", "shop");
  const claimed = await client.xAutoClaim("orders", "shop", "b", 0, "0-0");
  const acknowledged = await client.xAck("orders", "shop", id);
  const group = (await client.xInfoGroups("orders"))[0];
  return {
    again,
    acknowledged,
    got: JSON.stringify(got).replaceAll(id, "ID"),
    pending: JSON.stringify(pending).replaceAll(id, "ID"),
    claimed: JSON.stringify(claimed).replaceAll(id, "ID"),
    group: JSON.stringify(group).replaceAll(id, "ID"),
  };
}

report({
  pipelines: await pipelines(),
  transactions: await transactions(),
  scripts: await scriptsAndFunctions(),
  messages: await messages(),
  groups: await groups(),
});
await Promise.all([client.close(), other.close()]);
