// node-redis's clientSideCache: what another client changes must leave the cache by itself.
import { BasicClientSideCache, createClient } from "redis";
import { event, host, port, report } from "./report.mjs";

const cache = new BasicClientSideCache({ maxEntries: 100, ttl: 0 });
const reader = await createClient({
  socket: { host, port },
  RESP: 3,
  clientSideCache: cache,
}).connect();
const writer = await createClient({ socket: { host, port }, RESP: 3 }).connect();

const counts = () => ({
  hits: cache.stats().hitCount,
  misses: cache.stats().missCount,
  size: cache.size(),
});
const tracked = async (name) => Number(new RegExp(`${name}:(\\d+)`).exec(await writer.info())[1]);

await writer.set("price", 1);
await writer.hSet("cart", { tea: 1 });
const first = [
  await reader.get("price"),
  await reader.get("price"),
  (await reader.hGetAll("cart")).tea,
];
const cached = counts();
const known = [await tracked("tracking_clients"), await tracked("tracking_total_keys")];

// Each way in which a key changes; the reader never asks again before it is told.
const changes = {
  written: () => writer.append("price", "2"),
  transaction: () => writer.multi().set("price", 3).exec(),
  script: () => writer.eval("return redis.call('INCR', KEYS[1])", { keys: ["price"] }),
  renamed: () => writer.rename("price", "elsewhere"),
  expired: () => {}, // by itself
  flushed: () => writer.flushAll(),
};
const seen = {};
for (const [name, change] of Object.entries(changes)) {
  const options = name === "expired" ? { expiration: { type: "PX", value: 500 } } : {};
  do await writer.set("price", 1, options);
  while ((await reader.get("price")) === null);
  const told = event(cache, "invalidate");
  await change();
  const [key] = await told;
  seen[name] = [key === null ? null : String(key), await reader.get("price"), cache.size() > 0];
}
// A key that nobody cached tells nobody; what the reader writes itself is told too.
const before = counts();
const own = event(cache, "invalidate");
await writer.set("untouched", 1);
await reader.get("price");
await reader.set("price", 9);
const ownKey = String((await own)[0]);
const last = [await reader.get("price"), await reader.get("price")];

report({ first, cached, known, seen, ownKey, last, hits: counts().hits - before.hits });
await Promise.all([reader.close(), writer.close()]);
