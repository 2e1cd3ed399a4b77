"""python3-redis: pipelines, transactions tried again, locks, scripts, messages, streams."""
import json
import sys
import threading

import redis
from redis.exceptions import (LockNotOwnedError, NoScriptError, RedisClusterException,
                              ResponseError)

PORT = int(sys.argv[1])


def error_of(action, *kinds):
    try:
        return {"succeeded": action()}
    except kinds as error:
        return f"{type(error).__name__}: {error}"


def pipelines(client):
    with client.pipeline(transaction=False) as pipe:
        replies = pipe.set("a", 1).lpush("a", 1).incr("a").execute(raise_on_error=False)
    attempts = []

    def double(pipe):
        value = int(pipe.get("a"))
        if not attempts:
            client.incrby("a", 10)
        attempts.append(value)
        pipe.multi()
        pipe.set("a", 2 * value)

    client.transaction(double, "a")
    with client.pipeline() as pipe:
        pipe.set("b", 1).execute_command("NOSUCH")
        aborted = error_of(pipe.execute, ResponseError)
    return {"replies": [str(reply) for reply in replies], "attempts": attempts,
            "doubled": client.get("a"), "aborted": aborted, "b": client.get("b")}


def locks(client):
    """A lock is let go by a script that asks whose it is; who waits for it gets it then."""
    mine, other = client.lock("lock", timeout=20), client.lock("lock", timeout=20)
    taken = [mine.acquire(blocking=False), other.acquire(blocking=False)]
    refused = error_of(lambda: other.do_release("not mine"), LockNotOwnedError)
    extended = mine.extend(100) and 100 < client.ttl("lock") <= 120
    got = []
    waiting = threading.Thread(target=lambda: got.append(other.acquire(blocking_timeout=20)))
    waiting.start()
    mine.release()
    waiting.join(30)
    return {"taken": taken, "refused": refused, "extended": extended, "got": got}


def scripts(client):
    script = client.register_script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}")
    first = script(keys=["n"], args=["x"])
    client.script_flush()
    unknown = error_of(lambda: client.evalsha(script.sha, 0), NoScriptError)
    with client.pipeline() as pipe:
        script(keys=["n"], args=["y"], client=pipe)
        piped = pipe.execute()
    return {"first": first, "unknown": unknown, "piped": piped}


def messages(client):
    heard = []
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(news=lambda message: heard.append(message["data"]))
    pubsub.psubscribe("n*")
    wait = {"timeout": 5}
    # The two answers to the subscriptions come first, and are ignored.
    before = [pubsub.get_message(**wait), pubsub.get_message(**wait)]
    receivers = client.publish("news", "hello")
    by_handler = pubsub.get_message(**wait)
    by_pattern = pubsub.get_message(**wait)
    pubsub.close()
    return {"before": before, "receivers": receivers, "heard": heard, "handler": by_handler,
            "pattern": [by_pattern["type"], by_pattern["channel"], by_pattern["data"]]}


def streams(client):
    client.xgroup_create("log", "readers", mkstream=True)
    ids = [client.xadd("log", {"n": n}, maxlen=3, approximate=False) for n in range(5)]
    got = client.xreadgroup("readers", "a", {"log": ">"}, count=2)[0][1]
    pending = client.xpending_range("log", "readers", "-", "+", 10)
    claimed = client.xclaim("log", "readers", "b", 0, [got[0][0]])
    return {"got": [fields for _, fields in got], "length": client.xlen("log"),
            "pending": [(ids.index(one["message_id"]), one["consumer"], one["times_delivered"])
                        for one in pending],
            "claimed": len(claimed), "acked": client.xack("log", "readers", *ids),
            "lag": client.xinfo_groups("log")[0]["lag"]}


def collections(client):
    client.hset("person", mapping={"name": "Ada", "born": 1815})
    client.zadd("scores", {"a": 1, "b": 2.5, "c": 3})
    client.geoadd("towns", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"))
    client.pfadd("visitors", *range(1000))
    bits = client.bitfield("bits").set("u8", 0, 200).incrby("u8", 0, 100).execute()
    client.mset({f"key:{n}": n for n in range(500)})
    return {"hash": client.hgetall("person"),
            "distance": client.geodist("towns", "Palermo", "Catania"),
            "range": client.zrange("scores", "(1", 3, byscore=True, withscores=True),
            "count": 950 < client.pfcount("visitors") < 1050, "bits": bits,
            "scanned": len(set(client.scan_iter("key:*", count=50))),
            "wrong": error_of(lambda: client.lpush("person", 1), ResponseError),
            "config": client.config_get("maxmemory-policy"),
            "cluster": error_of(lambda: redis.RedisCluster("127.0.0.1", PORT),
                                RedisClusterException)}


if __name__ == "__main__":
    connection = redis.Redis(port=PORT, decode_responses=True, socket_timeout=20)
    print(json.dumps({scenario.__name__: scenario(connection) for scenario in
                      (pipelines, locks, scripts, messages, streams, collections)}))
