"""Lua scripts: values both ways, errors, atomicity, what a script replicates."""
import pytest

from harness.load import assert_same, caught_up
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode

CONVERSIONS = [
    ("return 1", 1), ("return 3.99", 3), ("return 'x'", "x"), ("return true", 1), ("return false",
                                                                                   None),
    ("return nil", None), ("return {1,2,nil,4}", [1, 2]), ("return {'a',{1,{2}}}", ["a", [1, [2]]]),
    ("return {ok='fine'}", "fine"), ("return {}", []), ("return redis.status_reply('S')", "S"),
    ("return {a=1}", []), ("return #ARGV", 2), ("return KEYS[1]", "key"), ("return ARGV[2]", "two"),
    ("return redis.call('get','none')", None), ("return type(redis.call('get','none'))", "boolean"),
    ("return redis.call('ping')", "PONG"), ("return redis.call('ping')['ok']", "PONG"),
    ("return tostring(redis.call('incr','n'))", "1"), ("return redis.sha1hex('')",
     "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("return cjson.encode({a={1,2}})", '{"a":[1,2]}'), ("return cjson.decode('[1,2]')[2]", 2),
    ("return string.format('%d', 5)", "5"), ("return math.max(1,2)", 2),
    ("return select('#', unpack({1,2,3}))", 3), ("return redis.pcall('nosuch')['err'] ~= nil", 1),
    ("local t = {} for i = 1, 300 do t[i] = i end return #t", 300),
]


@pytest.mark.parametrize("text, value", CONVERSIONS, ids=range(len(CONVERSIONS)))
def test_values(client, text, value):
    assert client("EVAL", text, 1, "key", "one", "two") == value


@pytest.mark.parametrize("text, error", [
    ("return redis.error_reply('MY thing')", "MY thing"),
    ("return {err='MY thing'}", "MY thing"),
    ("return nosuch", "Script attempted to access nonexistent global variable 'nosuch'"),
    ("x = 1", "Attempt to modify a readonly table"),
    ("syntax error", "Error compiling script"),
    ("return redis.call('nosuch')", "Unknown Redis command called from script"),
    ("return redis.call('get')", "Wrong number of args calling Redis command from script"),
    ("return redis.call('blpop', 'a')", "Wrong number of args"),
    ("return redis.call('subscribe', 'a')", "not allowed from script"),
    ("return redis.call('multi')", "not allowed from script"),
    ("error('thrown')", "thrown"),
    ("return redis.call('lpush', 'text', 1)", "WRONGTYPE Operation against a key"),
    ("redis.call('set')", "Wrong number of args"),
    ("return loadfile('/etc/passwd')", "nonexistent global variable 'loadfile'"),
    ("return os.execute('true')", ""),
])
def test_errors(client, text, error):
    client("SET", "text", "x")
    assert error in client.error("EVAL", text, 0)


def test_evalsha_and_script_commands(client):
    sha = client("SCRIPT", "LOAD", "return ARGV[1]")
    assert sha == "098e0f0d1448c0a81dafe820f66d460eb09263da"
    assert client("EVALSHA", sha, 0, "x") == "x" and client("EVALSHA", sha.upper(), 0, "y") == "y"
    assert client("SCRIPT", "EXISTS", sha, "0" * 40) == [1, 0]
    client("SCRIPT", "FLUSH")
    assert client.error("EVALSHA", sha, 0).startswith("NOSCRIPT No matching script")


def test_a_script_is_one_command(server, client):
    """Nobody sees the middle of a script."""
    text = "redis.call('set','a',ARGV[1]) redis.call('set','b',ARGV[1])"
    with server.connect() as other:
        for turn in range(300):
            client.send(encode("EVAL", text, 0, turn))
            assert len(set(other("MGET", "a", "b"))) == 1
            client.read()


def test_a_failed_script_keeps_what_it_did(client):
    client.error("EVAL", "redis.call('set','a',1) error('x')", 0)
    assert client("GET", "a") == "1"


def test_scripts_cannot_write_on_a_replica(start):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with replica.connect() as client:
        assert "READONLY" in client.error("EVAL", "return redis.call('set','a',1)", 0)
        assert client("EVAL", "return redis.call('get','a')", 0) is None


def test_select_in_a_script_does_not_leak(client):
    client("EVAL", "redis.call('select', 3) redis.call('set','a',1)", 0)
    assert client("GET", "a") is None
    client("SELECT", 3)
    assert client("GET", "a") == "1"


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_effects_are_replicated_not_scripts(start, kind):
    """Chance and time differ on every machine; the replica must have what the primary has."""
    primary, replica = start("tandem"), start(kind)
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    text = """
        redis.call('sadd', KEYS[1], 'a', 'b', 'c', 'd')
        redis.call('set', KEYS[2], redis.call('spop', KEYS[1]))
        redis.call('rpush', KEYS[3], redis.call('time')[2], math.random(1000000))
        redis.call('xadd', KEYS[4], '*', 'f', 'v')
        redis.call('select', 5) redis.call('incr', 'other')
        return redis.call('expire', KEYS[2], 1000)"""
    with primary.connect() as client:
        for number in range(50):
            client("EVAL", text, 4, *[f"k{n}:{number}" for n in range(4)])
    assert_same(primary, replica)


def test_resp3_in_scripts(start):
    with start("tandem").connect(protocol=3) as client:
        client("HSET", "h", "f", "v")
        assert client("EVAL", "return redis.call('hgetall','h')", 0) == ["f", "v"]
        assert client("EVAL", "redis.setresp(3) return redis.call('hgetall','h')", 0) == {"f": "v"}


def test_real_time_limits_do_not_kill_short_scripts(client):
    assert client("EVAL", "local n = 0 for i = 1, 1000000 do n = n + i end return n",
                  0) == 500000500000


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_what_scripts_did_before_they_failed_is_replicated(start, kind):
    primary, replica = start("tandem"), start(kind)
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    text = """
        redis.call('select', ARGV[1]) redis.call('set', KEYS[1], ARGV[1])
        redis.call('select', 0) redis.call('sadd', 's', ARGV[1], 'x', 'y', 'z')
        redis.call('spop', 's', 2) redis.call('pexpire', KEYS[1], 1) redis.call('publish', 'c', 'm')
        redis.pcall('lpush', 's', 1) redis.call('set', 'time', redis.call('time')[1])
        redis.call('lpush', 's', 1) redis.call('set', 'never', 1)"""
    with primary.connect() as client, replica.connect() as listener:
        listener("SUBSCRIBE", "c")
        for number in range(40):
            assert "WRONGTYPE" in client.error("EVAL", text, 1, f"k{number}", number % 4)
        assert client("EXISTS", "never") == 0
        assert [listener.read()[2] for _ in range(40)] == ["m"] * 40
    assert_same(primary, replica)


# What redis.set_repl is given, and whether replicas hear of it.
TOLD = {"REPL_NONE": False, "REPL_SLAVE": True, "REPL_REPLICA": True, "REPL_AOF": False,
        "REPL_ALL": True}


@pytest.mark.parametrize("kinds", [("tandem", "tandem"), ("tandem", "redis"), ("redis", "tandem")],
                         ids="<".join)
def test_set_repl_chooses_what_replicas_hear(start, kinds):
    primary, replica = map(start, kinds)
    replica.follow(primary.port)
    caught_up(primary, replica)
    text = """redis.set_repl(redis[ARGV[1]]) redis.call('set', KEYS[1], 1)
        redis.call('incr', KEYS[1])"""
    several = "".join(f"redis.set_repl(redis.{name}) redis.call('set', 'in:{name}', 1) "
                      for name in TOLD)
    with primary.connect() as client, replica.connect() as other:
        for name in TOLD:
            client("EVAL", text, 1, name, name)
            client("MULTI")
            client("SET", f"before:{name}", 1)
            client("EVAL", text, 1, f"multi:{name}", name)
            client("SET", f"after:{name}", 1)
            client("EXEC")
        client("EVAL", several, 0)
        client("EVAL", "redis.call('set', 'always', 1)", 0)  # a choice ends with its script
        everything = set(client("KEYS", "*"))
        assert len(everything) == 5 * len(TOLD) + 1
        caught_up(primary, replica)
        unheard = {prefix + name for name, heard in TOLD.items() if not heard
                   for prefix in ("", "multi:", "in:")}
        assert set(other("KEYS", "*")) == everything - unheard
        assert other("GET", "REPL_ALL") == client("GET", "REPL_NONE") == "2"


def test_nothing_expires_while_a_script_runs(client):
    text = """redis.call('set', 'k', 1, 'px', 1) for i = 1, 5000000 do end
        return redis.call('exists', 'k')"""
    assert client("EVAL", text, 0) == 1


@pytest.mark.parametrize("wrote", [False, True])
def test_a_script_without_end_can_be_ended(start, wrote):
    """One worker, and it is the script's; keys that expire keep the expirer coming by."""
    server = start("tandem", "--worker-threads", 1, "--busy-reply-threshold", 50)
    with server.connect() as holder:
        holder.pipeline([("SET", f"k{n}", 1, "PX", 1) for n in range(1000)])
        first = "redis.call('set','a',1) " if wrote else ""
        holder.send(encode("EVAL", first + "while true do end", 0))

        def is_busy():
            with server.connect() as other:
                other.socket.settimeout(1)
                try:
                    return other.raw("PING").startswith(b"-BUSY")
                except TimeoutError:
                    return False

        wait_until(is_busy, "those who come are told that it is busy")
        with server.connect() as other:
            assert other.raw("WATCH", "a").startswith(b"-BUSY")
            if wrote:
                assert other.raw("SCRIPT", "KILL").startswith(b"-UNKILLABLE")
                other.send(encode("SHUTDOWN", "NOSAVE"))
                assert server.wait_exit() == 0
            else:
                assert other("SCRIPT", "KILL") == "OK"
                assert b"Script killed by user" in holder.read_raw()
                assert other("GET", "a") is None


@pytest.mark.parametrize("workers", [1, 2])
def test_who_was_there_before_a_busy_script_is_answered(start, workers):
    """Clients of the script's own worker and of others, what they had sent before included; and
    what they may say has its effect."""
    server = start("tandem", "--worker-threads", workers, "--busy-reply-threshold", 50)
    with server.connect() as holder:
        others = [server.connect() for _ in range(4)]
        for turn in range(3):
            others[0]("SET", "k", turn)
            holder.send(encode("EVAL", "while true do end", 0))
            for other in others:
                other.send(encode("GET", "k"))  # perhaps before anybody knows of the script
            for other in others:
                assert other.read_raw().startswith((b"-BUSY", b"$1"))
                wait_until(lambda other=other: other.raw("GET", "k").startswith(b"-BUSY"),
                           "it is told that a script is busy")
                assert other.raw("MULTI") == b"+OK\r\n" and other.raw("DISCARD") == b"+OK\r\n"
                assert other.raw("SHUTDOWN").startswith(b"-BUSY")
            assert others[turn]("SCRIPT", "KILL") == "OK"
            assert b"Script killed by user" in holder.read_raw()
            assert others[3]("GET", "k") == str(turn)
        for other in others:
            other.close()


def test_a_client_that_leaves_during_a_busy_script_is_forgotten(start):
    server = start("tandem", "--worker-threads", 1, "--busy-reply-threshold", 50)
    with server.connect() as holder, server.connect() as other:
        holder.send(encode("EVAL", "while true do end", 0))
        wait_until(lambda: other.raw("GET", "k").startswith(b"-BUSY"), "the script is long")
        leaver = server.connect()
        leaver.close()
        holder.socket.close()  # nobody hears the script's end
        assert other("SCRIPT", "KILL") == "OK"
        wait_until(lambda: len(other("CLIENT", "LIST").splitlines()) == 1, "one is left")


def test_shutdown_is_heard_on_the_scripts_own_worker(start):
    server = start("tandem", "--worker-threads", 1, "--busy-reply-threshold", 50)
    with server.connect() as holder, server.connect() as other:
        holder.send(encode("EVAL", "redis.call('set', 'k', 1) while true do end", 0))
        wait_until(lambda: other.raw("GET", "k").startswith(b"-BUSY"), "the script is long")
        other.send(encode("SHUTDOWN", "NOSAVE"))
        assert server.wait_exit() == 0


LONG = ("redis.call('set', 'first', 1) local i = 0 while i < {} do i = i + 1 end "
        "redis.call('set', 'last', 1)")
SAVING = ("--save", "3600 1000000", "--busy-reply-threshold", 50, "--shutdown-timeout", 0)


def is_busy(server):
    with server.connect(seconds=1) as other:
        return other.raw("GET", "a").startswith(b"-BUSY")


def test_a_signal_waits_for_the_script(start):
    """What is saved has the whole of it or nothing."""
    server = start("tandem", *SAVING)
    with server.connect() as connection:
        connection.send(encode("EVAL", LONG.format(400_000_000), 0))
        wait_until(lambda: is_busy(server), "the script is long")
        server.process.terminate()
        assert server.wait_exit() == 0
    server.start()
    with server.connect() as connection:
        assert connection("MGET", "first", "last") == ["1", "1"]


def test_shutdown_is_refused_while_a_script_is_busy(start):
    server = start("tandem", *SAVING)
    with server.connect() as connection, server.connect() as other:
        connection.send(encode("EVAL", "while true do end", 0))
        wait_until(lambda: is_busy(server), "the script is long")
        for words in ([], ["SAVE"], ["NOW"]):
            with server.connect() as other:
                assert other.raw("SHUTDOWN", *words).startswith(b"-BUSY")
        with server.connect() as other:
            other.send(encode("SHUTDOWN", "NOSAVE"))
            assert server.wait_exit() == 0


def test_nosave_ends_a_shutdown_that_waits_for_a_script(start):
    server = start("tandem", *SAVING)
    with server.connect() as connection:
        connection.send(encode("EVAL", LONG.format(10**12), 0))
        wait_until(lambda: is_busy(server), "the script is long")
        server.process.terminate()
        wait_until(lambda: "User requested shutdown" in server.log_text(), "the shutdown has begun")
        with server.connect() as other:
            other.send(encode("SHUTDOWN", "NOSAVE"))
            assert server.wait_exit() == 0
    assert not (server.folder / "dump.rdb").exists()


def test_scripts_run_on_after_a_failed_shutdown(start):
    server = start("tandem", *SAVING)
    (server.folder / "dump.rdb").mkdir()
    with server.connect() as connection:
        assert connection.error("SHUTDOWN", "SAVE") == "ERR Errors trying to SHUTDOWN. Check logs."
        assert connection("EVAL", LONG.format(1_000_000), 0) is None
        assert connection("MGET", "first", "last") == ["1", "1"]
        (server.folder / "dump.rdb").rmdir()


@pytest.mark.skipif(is_stock("tandem"), reason="refused in scripts before 7.2")
def test_commands_that_may_wait_do_not_in_scripts(client):
    """They take what there is, or answer as if their time were over at once."""
    def call(*words):
        return client("EVAL", "return redis.call(unpack(ARGV))", 0, *words)

    for words in (("BLPOP", "l", 0), ("BRPOP", "l", 0), ("BLMOVE", "l", "m", "LEFT", "LEFT", 0),
                  ("BRPOPLPUSH", "l", "m", 0), ("BZPOPMIN", "z", 0), ("BZPOPMAX", "z", 0)):
        assert call(*words) is None, words
    assert call("WAIT", 1, 0) == 0
    client("RPUSH", "l", 1, 2, 3, 4)
    client("ZADD", "z", 1, "a", 2, "b")
    assert call("BLPOP", "none", "l", 0) == ["l", "1"]
    assert call("BRPOP", "l", 0) == ["l", "4"]
    assert call("BLMOVE", "l", "m", "LEFT", "LEFT", 0) == "2"
    assert call("BRPOPLPUSH", "l", "m", 0) == "3"
    assert call("BZPOPMIN", "z", 0) == ["z", "a", "1"]
    assert call("BZPOPMAX", "z", 0) == ["z", "b", "2"]
