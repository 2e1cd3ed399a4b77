"""Channels and patterns: delivery, counts, what a subscriber may say, and the way to replicas."""
import pytest

from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode


def test_subscribe_publish_unsubscribe(server, client):
    with server.connect() as listener:
        assert listener("SUBSCRIBE", "a", "b") == ["subscribe", "a", 1]
        assert listener.read() == ["subscribe", "b", 2]
        assert client("PUBLISH", "a", "hello") == 1 and client("PUBLISH", "none", "x") == 0
        assert listener.read() == ["message", "a", "hello"]
        assert listener("UNSUBSCRIBE", "a") == ["unsubscribe", "a", 1]
        assert listener("UNSUBSCRIBE") == ["unsubscribe", "b", 0]
        assert listener("UNSUBSCRIBE") == ["unsubscribe", None, 0]
        assert listener("PING") == "PONG"


def test_patterns(server, client):
    with server.connect() as listener:
        listener("PSUBSCRIBE", "news.*")
        listener("PSUBSCRIBE", "n[ae]ws.?")
        listener("SUBSCRIBE", "news.x")
        assert client("PUBLISH", "news.x", "m") == 3
        got = sorted(map(tuple, (listener.read() for _ in range(3))))
        assert got == [("message", "news.x", "m"), ("pmessage", "n[ae]ws.?", "news.x", "m"),
                       ("pmessage", "news.*", "news.x", "m")]
        assert client("PUBLISH", "news.xy", "m") == 1


def test_what_a_resp2_subscriber_may_say(server):
    with server.connect() as listener:
        listener("SUBSCRIBE", "a")
        for name, words in (("get", "GET x"), ("publish", "PUBLISH a m"), ("multi", "MULTI"),
                            ("pubsub|channels", "PUBSUB CHANNELS"), ("hello", "HELLO 3")):
            assert f"Can't execute '{name}'" in listener.error(*words.split())
        assert listener("PING") == ["pong", ""] and listener("PING", "x") == ["pong", "x"]
        assert listener("RESET") == "RESET"
        assert listener("GET", "x") is None


def test_resp3_pushes(server, client):
    with server.connect(protocol=3) as listener:
        assert listener.raw("SUBSCRIBE", "a") == b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
        client("PUBLISH", "a", "m")
        assert listener.read_raw() == b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n"
        assert listener("GET", "x") is None, "RESP3 subscribers may say anything"


def test_an_own_message_follows_the_reply(server):
    """As in 7.2: behind the reply of the command that sent it, and so of a whole transaction."""
    if is_stock("tandem"):
        pytest.skip("7.0 puts it before the reply")
    message = b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n"
    with server.connect(protocol=3) as listener:
        listener("SUBSCRIBE", "a")
        replies = listener.pipeline([("PUBLISH", "a", "m"), ("GET", "none"), ("PUBLISH", "b", "m")])
        assert replies == [b":1\r\n", message, b"_\r\n"]
        assert listener.read_raw() == b":0\r\n"
        replies = listener.pipeline([("MULTI",), ("PUBLISH", "a", "m"), ("PING",), ("EXEC",),
                                     ("PING",)])
        assert replies == [b"+OK\r\n", b"+QUEUED\r\n", b"+QUEUED\r\n",
                           b"*2\r\n:1\r\n+PONG\r\n", message]
        assert listener.read_raw() == b"+PONG\r\n"


def test_no_pattern_matches_the_empty_channel(server, client):
    with server.connect() as listener:
        for pattern in ("*", "**", "?*"):
            listener("PSUBSCRIBE", pattern)
        assert client("PUBLISH", "", "m") == 0
        listener("SUBSCRIBE", "")
        assert client("PUBLISH", "", "m") == 1
        assert client("PUBSUB", "CHANNELS", "*") == [] and client("PUBSUB", "CHANNELS", "") == [""]


def test_pubsub_introspection(server, client):
    with server.connect() as listener:
        listener("SUBSCRIBE", "a")
        listener("PSUBSCRIBE", "p*")
        assert client("PUBSUB", "CHANNELS") == ["a"] and client("PUBSUB", "NUMPAT") == 1
        assert client("PUBSUB", "NUMSUB", "a", "b") == ["a", 1, "b", 0]
    wait_until(lambda: client("PUBSUB", "CHANNELS") == [], "a closed listener is forgotten")


def test_order_and_number_of_messages(server, client):
    listeners = [server.connect() for _ in range(4)]
    for listener in listeners:
        listener("SUBSCRIBE", "c")
    client.pipeline([("PUBLISH", "c", n) for n in range(500)])
    for listener in listeners:
        assert [listener.read()[2] for _ in range(500)] == [str(n) for n in range(500)]


def test_publish_inside_transactions_and_scripts(server, client):
    with server.connect() as listener:
        listener("SUBSCRIBE", "c")
        client("MULTI")
        client("PUBLISH", "c", "1")
        assert client("EXEC") == [1]
        assert client("EVAL", "return redis.call('publish','c','2')", 0) == 1
        assert [listener.read()[2] for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize("kinds", [("tandem", "redis"), ("redis", "tandem"), ("tandem", "tandem")],
                         ids="<".join)
@pytest.mark.parametrize("shard", ["", "s"], ids=["channel", "of a shard"])
def test_messages_reach_the_listeners_of_replicas(start, kinds, shard):
    if is_stock("tandem") and kinds[0] != "tandem":
        pytest.skip("the same as the first")
    primary, replica = start(kinds[0]), start(kinds[1])
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with replica.connect() as listener, primary.connect() as client:
        listener(f"{shard}SUBSCRIBE", "c")
        def arrives():
            client(f"{shard}PUBLISH", "c", "m")
            return listener.has_reply()
        wait_until(arrives, "a message arrives")
        assert listener.read() == [f"{shard}message", "c", "m"]


def test_channels_of_shards(server, client):
    """Names of their own, with messages and counts of their own."""
    with server.connect() as listener:
        assert listener("SSUBSCRIBE", "s", "t") == ["ssubscribe", "s", 1]
        assert listener.read() == ["ssubscribe", "t", 2]
        assert listener("SUBSCRIBE", "s") == ["subscribe", "s", 1]
        assert listener("PSUBSCRIBE", "*") == ["psubscribe", "*", 2]
        assert client("SPUBLISH", "s", "m") == 1 and client("SPUBLISH", "none", "m") == 0
        assert listener.read() == ["smessage", "s", "m"]
        assert client("PUBLISH", "t", "m") == 1
        assert listener.read() == ["pmessage", "*", "t", "m"]
        assert sorted(client("PUBSUB", "SHARDCHANNELS")) == ["s", "t"]
        assert client("PUBSUB", "SHARDCHANNELS", "t*") == ["t"]
        assert client("PUBSUB", "SHARDNUMSUB", "s", "none") == ["s", 1, "none", 0]
        assert client("PUBSUB", "CHANNELS") == ["s"]
        assert server.info("stats")["pubsubshard_channels"] == "2"
        assert " sub=1 psub=1 ssub=2 " in client("CLIENT", "LIST", "TYPE", "pubsub")
        assert "Can't execute 'spublish'" in listener.error("SPUBLISH", "s", "m")
        assert listener("SUNSUBSCRIBE", "none") == ["sunsubscribe", "none", 2]
        listener.send(encode("SUNSUBSCRIBE"))
        assert sorted(listener.read()[1] for _ in range(2)) == ["s", "t"]
        assert listener("SUNSUBSCRIBE") == ["sunsubscribe", None, 0]
        assert client("SPUBLISH", "s", "m") == 0


def test_channels_of_shards_in_the_new_protocol(server, client):
    with server.connect(protocol=3) as listener:
        assert listener.raw("SSUBSCRIBE", "s") == b">3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n"
        client("SPUBLISH", "s", "m")
        assert listener.read_raw() == b">3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$1\r\nm\r\n"
        assert listener("GET", "x") is None


def test_channels_of_shards_in_transactions_and_scripts(start):
    answers = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            answers.append(client.pipeline([
                ("MULTI",), ("SSUBSCRIBE", "s"), ("SUBSCRIBE", "s"), ("SUNSUBSCRIBE", "s"),
                ("SUNSUBSCRIBE",), ("SPUBLISH", "s", "m"), ("EXEC",)]))
        with start(kind).connect() as client:
            answers[-1].append(client.raw("EVAL", "return redis.call('spublish', 's', 'm')", 0))
            answers[-1].append(client.raw("EVAL", "return redis.call('ssubscribe', 's')", 0)[:50])
            answers[-1].append(client.raw("COMMAND", "GETKEYS", "SSUBSCRIBE", "s"))
    assert answers[0] == answers[1]


def test_who_resets_or_goes_is_subscribed_to_no_shard(server, client):
    with server.connect() as one, server.connect() as two:
        one("SSUBSCRIBE", "s")
        two("SSUBSCRIBE", "s")
        one("RESET")
        assert client("SPUBLISH", "s", "m") == 1
        assert client("CLIENT", "KILL", "TYPE", "pubsub") == 1
        assert client("PUBSUB", "SHARDCHANNELS") == []
