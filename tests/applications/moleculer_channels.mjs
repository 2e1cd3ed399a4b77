// @moleculer/channels: two nodes share a consumer group, a third service has its own; handlers that
// fail are called again, then the message goes to the dead letters; one that died is replaced.
import { createRequire } from "node:module";
import { Middleware } from "@moleculer/channels";
import Redis from "ioredis";
import { Inbox, host, port, report } from "./report.mjs";

const { ServiceBroker } = createRequire(import.meta.url)("moleculer");
const redis = new Redis({ host, port });
const adapter = {
  type: "Redis",
  options: {
    redis: {
      host,
      port,
      consumerOptions: {
        readTimeoutInterval: 200,
        minIdleTime: 100,
        claimInterval: 50,
        startID: "0",
        processingAttemptsInterval: 50,
      },
    },
  },
};

function brokerOf(nodeID, services) {
  const broker = new ServiceBroker({
    nodeID,
    logger: false,
    middlewares: [Middleware({ adapter, channelHandlerTrigger: "emitLocal" })],
  });
  for (const service of services) broker.createService(service);
  return broker;
}

const shared = new Inbox();
const audited = new Inbox();
const failing = new Inbox();
const dead = new Inbox();
const billing = (name) => ({
  name: "billing",
  channels: {
    "order.created": {
      group: "billing",
      maxInFlight: 1,
      handler: (data) => shared.put([name, data.id]),
    },
  },
});
const one = brokerOf("one", [billing("one")]);
const two = brokerOf("two", [
  billing("two"),
  {
    name: "audit",
    channels: {
      "order.created": { group: "audit", handler: (data) => audited.put(data.id) },
      "order.broken": {
        group: "audit",
        maxRetries: 2,
        deadLettering: { enabled: true, queueName: "dead.orders" },
        handler(data) {
          failing.put(data.id);
          throw new Error("no stock");
        },
      },
      "dead.orders": { group: "dead", handler: (data) => dead.put(data.id) },
    },
  },
]);
await Promise.all([one.start(), two.start()]);

for (let id = 1; id <= 20; id++)
  await one.sendToChannel("order.created", { id }, { headers: { source: "shop" } });
const ids = (await shared.until(20)).map(([, id]) => id).sort((a, b) => a - b);
const all = (await audited.until(20)).sort((a, b) => a - b);
await one.sendToChannel("order.broken", { id: 99 });
await dead.until(1);

// One node takes entries and dies with them; the other claims them.
await two.stop();
await redis.xgroup("CREATECONSUMER", "order.created", "billing", "dying");
await one.sendToChannel("order.created", { id: 21 });
const after = (await shared.until(21)).at(-1);
await one.stop();
const lost = new Inbox();
await redis.xadd("order.created", "*", "payload", JSON.stringify({ id: 22 }));
const taken = await redis.xreadgroup(
  "GROUP",
  "billing",
  "dying",
  "COUNT",
  1,
  "STREAMS",
  "order.created",
  ">",
);
const third = brokerOf("three", [
  {
    name: "billing",
    channels: { "order.created": { group: "billing", handler: (data) => lost.put(data.id) } },
  },
]);
await third.start();
const claimed = await lost.until(1);
await third.stop();

const groups = (await redis.xinfo("GROUPS", "order.created")).map((group) => [group[1], group[5]]);
report({
  once: ids,
  all,
  attempts: failing.items,
  dead: dead.items,
  deadStream: await redis.xlen("dead.orders"),
  after,
  taken: taken[0][1].length,
  claimed,
  groups: groups.sort(),
});
await redis.quit();
