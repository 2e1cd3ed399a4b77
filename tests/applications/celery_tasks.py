"""python3-celery with a server as its broker and for its results.

A worker imports this file for its tasks; as a program it is the one who asks for them.
"""
import json
import os

from celery import Celery, chain, chord, group
from celery.exceptions import TaskRevokedError
from harness.wait import wait_until

URL = os.environ["SERVER_URL"]
SECONDS = 30
app = Celery("celery_tasks", broker=URL, backend=URL)
app.conf.update(worker_prefetch_multiplier=1, result_expires=1000, task_track_started=True)


@app.task
def add(*numbers):
    return sum(numbers)


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=5)
def succeed_at(self, attempt):
    if self.request.retries < attempt:
        raise self.retry(countdown=0.1)
    return self.request.retries


@app.task
def divide(dividend, divisor):
    return dividend / divisor


def results(redis):
    result = add.delay(2, 3)
    value = result.get(SECONDS)
    key = f"celery-task-meta-{result.id}"
    kept = 0 < redis.ttl(key) <= 1000
    result.forget()
    return [value, kept, redis.exists(key)]


def workflows(_):
    """A chord's body starts when a counter of the server says that all of its head is done."""
    return {"chain": chain(add.s(1, 2), add.s(3), add.s(4)).delay().get(SECONDS),
            "group": group(add.s(n, n) for n in range(20)).delay().get(SECONDS),
            "chord": chord((add.s(n) for n in range(10)), total.s()).delay().get(SECONDS)}


def failures(_):
    failing = divide.delay(1, 0)
    try:
        failing.get(SECONDS)
    except ZeroDivisionError as error:
        cause = str(error)
    return {"cause": cause, "state": failing.state, "retries": succeed_at.delay(2).get(SECONDS)}


def later(_):
    """What is for later waits in the worker; commands to it go by channels."""
    far = add.apply_async((1, 1), countdown=3600)
    soon = add.apply_async((4, 4), countdown=1)
    inspect = app.control.inspect(timeout=5, limit=1)
    pongs = [list(reply.values()) for reply in app.control.ping(timeout=5, limit=1)]

    def scheduled():
        tasks = [task for tasks in (inspect.scheduled() or {}).values() for task in tasks]
        return far.id in [task["request"]["id"] for task in tasks]

    wait_until(scheduled, "the worker has the task for later", SECONDS)
    value = soon.get(SECONDS)
    hopeless = add.apply_async((1, 1), countdown=2)
    app.control.revoke(hopeless.id, reply=True, timeout=5, limit=1)
    try:
        revoked = hopeless.get(SECONDS)
    except TaskRevokedError:
        revoked = hopeless.state
    late = add.apply_async((1, 1), expires=-1)
    try:
        expired = late.get(SECONDS)
    except TaskRevokedError:
        expired = late.state
    return {"pongs": pongs, "soon": value, "revoked": revoked, "expired": expired}


def queues(redis):
    """What no worker takes stays in the broker and can be thrown away."""
    for n in range(5):
        add.apply_async((n,), queue="elsewhere")
    with app.connection_for_read() as connection:
        waiting = redis.llen("elsewhere")
        purged = connection.default_channel.queue_purge("elsewhere")
    # The task for later is the one that was taken and not acknowledged.
    wait_until(lambda: redis.hlen("unacked") == 1, "all but one are acknowledged", SECONDS)
    return [waiting, purged, redis.llen("elsewhere"), redis.llen("celery")]


if __name__ == "__main__":
    with app.connection_for_write() as broker:
        server = broker.default_channel.client
        print(json.dumps({scenario.__name__: scenario(server) for scenario in
                          (results, workflows, failures, later, queues)}))
