// socket.io with its sharded adapter: two nodes that know each other through the server alone. An
// event emitted at one must reach the clients of the other. The second argument names the client.
import { createServer } from "node:http";
import { once } from "node:events";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { createShardedAdapter } from "@socket.io/redis-adapter";
import Redis from "ioredis";
import { createClient } from "redis";
import { event, host, port, report, within } from "./report.mjs";

const makers = {
  redis: () => createClient({ socket: { host, port } }).connect(),
  ioredis: async () => new Redis({ host, port }),
};
const make = makers[process.argv[3]];
const control = new Redis({ host, port });
const opened = [];

async function nodeOf() {
  const [publisher, subscriber] = [await make(), await make()];
  const http = createServer();
  const server = new Server(http, { adapter: createShardedAdapter(publisher, subscriber) });
  server.on("connection", (socket) =>
    socket.on("join", (room, done) => {
      socket.join(room);
      done();
    }),
  );
  await once(http.listen(0, host), "listening");
  opened.push(
    () => publisher.quit(),
    () => subscriber.quit(),
    () => server.close(),
  );
  return { server, url: `http://${host}:${http.address().port}` };
}

async function clientOf(node) {
  const client = io(node.url, { transports: ["websocket"], reconnection: false });
  opened.push(() => client.close());
  await event(client, "connect");
  return client;
}

// Subscriptions are made in the background: the server itself says when they are there.
async function subscribed(channel, count) {
  for (let asked = 0; asked < 2000; asked++) {
    if ((await control.call("PUBSUB", "SHARDNUMSUB", channel))[1] === count) return;
  }
  throw new Error(`${channel} has no ${count} subscribers`);
}

const [first, second] = [await nodeOf(), await nodeOf()];
await subscribed("socket.io#/#", 2);
const here = await clientOf(first);
const there = await clientOf(second);

const seen = {};
// To everybody: a client of either node hears what the other's server says.
let heard = event(there, "news");
first.server.emit("news", "from first", { n: 1 });
seen.broadcast = await heard;
heard = event(here, "news");
second.server.emit("news", Buffer.from([0, 255]));
seen.binary = [...(await heard)[0]];

// To a room that only the other node has: a channel of its own.
await there.emitWithAck("join", "lobby");
await subscribed("socket.io#/#lobby#", 1);
heard = event(there, "room");
first.server.to("lobby").emit("room", "inside");
seen.room = await heard;
seen.channels = await control.call("PUBSUB", "SHARDCHANNELS", "socket.io#/#lobby*");
seen.notSharded = await control.pubsub("CHANNELS", "socket.io*");

// Between the servers, with answers.
second.server.on("question", (number, answer) => answer(number * 2));
seen.answers = await within(
  20,
  "the other server answers",
  first.server.serverSideEmitWithAck("question", 21),
);
seen.acknowledged = await (async () => {
  there.on("ask", (answer) => answer("yes"));
  here.on("ask", (answer) => answer("here"));
  return (await first.server.timeout(10000).emitWithAck("ask")).sort();
})();
const sockets = await first.server.fetchSockets();
seen.sockets = [
  sockets.length,
  sockets.some((socket) => socket.id === there.id && socket.rooms.has("lobby")),
];

// At a distance: join, leave, disconnect.
first.server.in(there.id).socketsJoin("far");
await subscribed("socket.io#/#far#", 1);
heard = event(there, "room");
first.server.to("far").emit("room", "far");
seen.far = await heard;
const gone = event(there, "disconnect");
first.server.in("far").disconnectSockets(true);
seen.gone = (await gone)[0];
await subscribed("socket.io#/#far#", 0);
seen.left = (await first.server.fetchSockets()).length;

for (const close of opened.reverse()) await close();
await control.quit();
report(seen);
process.exit(0); // socket.io keeps the time limits of what was answered long ago
