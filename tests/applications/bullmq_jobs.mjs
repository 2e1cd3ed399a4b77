// BullMQ: jobs that are delayed, prioritized, repeated, failing, stalled; their states; orphans.
import { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } from "bullmq";
import Redis from "ioredis";
import { Inbox, errorOf, event, host, port, report, within } from "./report.mjs";

const connection = { host, port };
const redis = new Redis(connection);
const open = [];

function keep(one) {
  open.push(one);
  return one;
}

async function queueNamed(name) {
  const queue = keep(new Queue(name, { connection }));
  const events = keep(new QueueEvents(name, { connection }));
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  return [queue, events];
}

async function states() {
  const [queue, events] = await queueNamed("states");
  const delayed = await queue.add("delayed", { n: 1 }, { delay: 1000 });
  const far = await queue.add("far", {}, { delay: 3600000 });
  const low = await queue.add("low", {}, { priority: 10 });
  const high = await queue.add("high", {}, { priority: 1 });
  const plain = await queue.add("plain", { text: "hé" });
  const twice = await queue.add("twice", {}, { jobId: "only", delay: 3600000 });
  const again = await queue.add("twice", {}, { jobId: "only", delay: 3600000 });
  const before = await queue.getJobCounts();
  const named = await Promise.all([delayed, high, plain].map((job) => job.getState()));

  const order = new Inbox();
  const worker = keep(
    new Worker(
      "states",
      async (job) => {
        await job.updateProgress(50);
        await job.log(`did ${job.name}`);
        order.put(job.name);
        return { took: job.name };
      },
      { connection, concurrency: 1 },
    ),
  );
  const result = await delayed.waitUntilFinished(events, 20000);
  const finished = await queue.getJob(plain.id);
  const waited = await queue.getJob(delayed.id);
  await far.promote();
  await far.waitUntilFinished(events, 20000);
  const done = await order.until(5);
  await worker.pause();
  await queue.pause();
  await queue.add("paused", {});
  const paused = await queue.getJobCounts();
  await twice.remove();
  return {
    before,
    named,
    same: twice.id === again.id,
    result,
    first: done.slice(0, 3),
    rest: done.slice(3),
    waited: waited.processedOn - waited.timestamp >= 1000,
    finished: [await finished.getState(), finished.returnvalue, finished.progress, finished.data],
    logs: (await queue.getJobLogs(plain.id)).logs,
    paused,
    after: await queue.getJobCounts(),
    cleaned: (await queue.clean(0, 100, "completed")).length,
    obliterated: await queue.obliterate({ force: true }).then(() => redis.keys("bull:states:*")),
  };
}

async function failures() {
  const [queue, events] = await queueNamed("failures");
  const attempts = new Inbox();
  const worker = keep(
    new Worker(
      "failures",
      async (job) => {
        attempts.put([job.name, job.attemptsMade]);
        if (job.name === "hopeless") throw new UnrecoverableError("no use");
        if (job.name === "flaky" && job.attemptsMade < 2)
          throw new Error(`attempt ${job.attemptsMade}`);
        if (job.name === "failing") throw new Error("always");
        return "ok";
      },
      { connection },
    ),
  );
  const flaky = await queue.add(
    "flaky",
    {},
    { attempts: 3, backoff: { type: "fixed", delay: 20 } },
  );
  const failing = await queue.add("failing", {}, { attempts: 2 });
  const hopeless = await queue.add("hopeless", {}, { attempts: 5 });
  const outcomes = [];
  for (const job of [flaky, failing, hopeless]) {
    outcomes.push(await errorOf(() => job.waitUntilFinished(events, 20000)));
  }
  const failed = await queue.getFailed();
  await worker.pause();
  await failing.retry();
  const retried = await (await queue.getJob(failing.id)).getState();
  return {
    outcomes,
    retried,
    attempts: attempts.items.map((item) => item.join(" ")).sort(),
    failed: failed.map((job) => [job.name, job.failedReason, job.attemptsMade]).sort(),
    traced: failed.every((job) => job.stacktrace.length === job.attemptsMade),
  };
}

async function repeats() {
  const [queue] = await queueNamed("repeats");
  const runs = new Inbox();
  const worker = keep(
    new Worker("repeats", async (job) => runs.put([job.name, job.data.n]), { connection }),
  );
  await queue.upsertJobScheduler(
    "often",
    { every: 100, limit: 3 },
    { name: "tick", data: { n: 7 } },
  );
  const ran = await runs.until(3);
  await queue.upsertJobScheduler("yearly", { pattern: "0 0 1 1 *" }, { name: "year" });
  const schedulers = (await queue.getJobSchedulers()).map((one) => [
    one.key,
    one.pattern ?? one.every,
  ]);
  const delayed = await queue.getDelayedCount();
  const removed = [
    await queue.removeJobScheduler("yearly"),
    await queue.removeJobScheduler("yearly"),
  ];
  await worker.pause();
  return {
    ran,
    yearly: schedulers.filter(([key]) => key === "yearly"),
    delayed,
    removed,
    left: await queue.getDelayedCount(),
  };
}

async function flows() {
  const [, events] = await queueNamed("parents");
  const producer = keep(new FlowProducer({ connection }));
  const flow = await producer.add({
    name: "sum",
    queueName: "parents",
    children: [1, 2, 3].map((n) => ({ name: "part", data: { n }, queueName: "children" })),
  });
  const waiting = await flow.job.getState();
  keep(new Worker("children", async (job) => job.data.n * 10, { connection }));
  keep(
    new Worker(
      "parents",
      async (job) =>
        Object.values(await job.getChildrenValues()).reduce((sum, value) => sum + value, 0),
      { connection },
    ),
  );
  return { waiting, sum: await flow.job.waitUntilFinished(events, 20000) };
}

// A worker that takes a job and never comes back: another finds that the lock is gone.
async function stalls() {
  const [queue, events] = await queueNamed("stalls");
  const dead = keep(new Worker("stalls", null, { connection, lockDuration: 100 }));
  const job = await queue.add("left", {});
  await dead.getNextJob("token");
  const active = await job.getState();
  const worker = keep(
    new Worker("stalls", async () => "rescued", { connection, stalledInterval: 100 }),
  );
  const [[stalled], result] = await Promise.all([
    event(worker, "stalled"),
    job.waitUntilFinished(events, 20000),
  ]);
  return { active, stalled: stalled === job.id, result };
}

async function orphans() {
  const [queue] = await queueNamed("orphans");
  const kept = await queue.add("kept", {});
  const lost = await queue.addBulk([1, 2, 3].map((n) => ({ name: "lost", data: { n } })));
  // The keys of a job stay, but no state names it.
  for (const job of lost) await redis.lrem("bull:orphans:wait", 0, job.id);
  const removed = await queue.removeOrphanedJobs(2);
  const there = await Promise.all(
    [kept, ...lost].map((job) => redis.exists(`bull:orphans:${job.id}`)),
  );
  return {
    states: await lost[0].getState().catch((error) => error.message),
    removed,
    there,
    again: await queue.removeOrphanedJobs(),
  };
}

const seen = {};
for (const scenario of [states, failures, repeats, flows, stalls, orphans])
  seen[scenario.name] = await scenario();
await within(20, "everything closed", Promise.all(open.map((one) => one.close())));
await redis.quit();
report(seen);
