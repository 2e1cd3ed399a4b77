"""python3-rq: jobs that follow others, wait for their time, fail, are tried again and are stopped.

A worker imports this file for its jobs; as a program it is the one who asks for them.
"""
import json
import sys
from datetime import timedelta

from harness.wait import wait_until
from redis import Redis
from rq import Queue, Retry, Worker, get_current_job
from rq.command import send_stop_job_command


def divide(dividend, divisor):
    return dividend / divisor


def add_results():
    return sum(job.return_value() for job in get_current_job().fetch_dependencies())


def succeed_at(attempt, key):
    if get_current_job().connection.incr(key) < attempt:
        raise ValueError("not yet")
    return "at last"


def wait_forever():
    redis = get_current_job().connection
    redis.rpush("begun", 1)
    redis.blpop("never")


class Client:
    def __init__(self, port):
        self.redis = Redis(port=port)
        self.queue = Queue("work", connection=self.redis)

    def enqueue(self, name, *arguments, **options):
        return self.queue.enqueue(f"rq_jobs.{name}", *arguments, **options)

    def ends(self, job):
        """Its status once it has ended."""
        ended = ("finished", "failed", "stopped", "canceled")
        wait_until(lambda: job.get_status() in ended, f"{job.func_name} ends", 30)
        return job.get_status()


def results(client):
    quarters = [client.enqueue("divide", n, 4) for n in (2, 6)]
    total = client.enqueue("add_results", depends_on=quarters)
    status = client.ends(total)
    return [status, [job.return_value() for job in quarters], total.return_value(),
            0 < client.redis.ttl(total.key) <= 500]


def failures(client):
    failing = client.enqueue("divide", 1, 0)
    retried = client.enqueue("succeed_at", 3, "attempts", retry=Retry(max=3))
    given_up = client.enqueue("succeed_at", 9, "more", retry=Retry(max=1))
    dependent = client.enqueue("divide", 1, 1, depends_on=failing)
    ends = [client.ends(job) for job in (failing, retried, given_up)]
    registry = client.queue.failed_job_registry
    listed = sorted([failing.id, given_up.id]) == sorted(registry.get_job_ids())
    client.redis.set("more", 100)
    registry.requeue(given_up.id)
    wait_until(lambda: given_up.get_status() == "finished", "the job that was queued again ends")
    return {"ends": ends, "cause": failing.latest_result().exc_string.strip().split("\n")[-1],
            "attempts": int(client.redis.get("attempts")), "result": retried.return_value(),
            "listed": listed, "dependent": dependent.get_status(),
            "left": registry.get_job_ids() == [failing.id]}


def later(client):
    # Times are kept in whole seconds.
    soon = client.queue.enqueue_in(timedelta(seconds=2), "rq_jobs.divide", 8, 2)
    far = client.queue.enqueue_in(timedelta(hours=1), "rq_jobs.divide", 1, 1)
    before = [soon.get_status(), far.get_status(), client.queue.scheduled_job_registry.count]
    ended = client.ends(soon)
    soon.refresh()
    took = soon.ended_at - soon.created_at
    far.cancel()
    return {"before": before, "ended": ended, "result": soon.return_value(),
            "waited": took >= timedelta(seconds=1), "cancelled": far.get_status(),
            "left": client.queue.scheduled_job_registry.count}


def stopped(client):
    """A command to a worker goes by a channel."""
    job = client.enqueue("wait_forever")
    assert client.redis.blpop("begun", 20)
    send_stop_job_command(client.redis, job.id)
    wait_until(lambda: job.get_status() == "stopped", "the job is stopped")
    (worker,) = Worker.all(connection=client.redis)
    return [job.get_status(), client.ends(client.enqueue("divide", 1, 1)), worker.queue_names()]


if __name__ == "__main__":
    client = Client(int(sys.argv[1]))
    print(json.dumps({scenario.__name__: scenario(client)
                      for scenario in (results, failures, later, stopped)}))
