// What ioredis, node-redis and their cluster clients show of calls that a server does not do. The
// second argument is a JSON list of calls.
import Redis from "ioredis";
import { createClient, createCluster } from "redis";
import { errorOf, host, port, report, within } from "./report.mjs";

const calls = JSON.parse(process.argv[3]);
const first = new Redis({ host, port });
const second = await createClient({ socket: { host, port }, RESP: 3 }).connect();
const seen = [];
for (const words of calls) {
  const shown = await Promise.all([
    within(
      10,
      `ioredis's ${words}`,
      errorOf(() => first.call(...words)),
    ),
    within(
      10,
      `node-redis's ${words}`,
      errorOf(() => second.sendCommand(words)),
    ),
  ]);
  // Neither connection is lost, nor any reply late: the next call gets its own.
  const after = [await first.echo(words[0]), await second.echo(words[0])];
  seen.push({ words, shown, after });
}

// What a cluster client is told by a server that is none: the client's words, and the server's.
const told = [];
const cluster = new Redis.Cluster([{ host, port }], { clusterRetryStrategy: () => null });
cluster.on("error", (error) => told.push(error.lastNodeError?.message));
const nodes = createCluster({ rootNodes: [{ socket: { host, port } }] });
nodes.on("error", (error) => told.push(error.message));
const clusters = [
  await within(
    10,
    "ioredis's cluster",
    errorOf(() => cluster.get("a")),
  ),
  await within(
    10,
    "node-redis's cluster",
    errorOf(() => nodes.connect()),
  ),
];
cluster.disconnect();
await Promise.all([first.quit(), second.close()]);
report({ seen, clusters, told });
