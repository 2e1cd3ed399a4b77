"""The parts of `./dev differential`, a few of its rounds, and listed corner cases.

Random commands come from the command table; harness/differential says how. Each part must be able
to fail.
"""
from dataclasses import replace

import pytest

from harness.differential import generator as generators
from harness.differential import laws, left_out
from harness.differential.generator import Generator, Step
from harness.differential.rounds import Plan, Worlds, draw, of_failure
from harness.differential.shrink import shortest
from harness.differential.side import SUBSCRIBERS, WAITERS, WRITERS
from harness.differential.table import Argument, Command, read_table
from harness.differential.world import Playing


@pytest.fixture(scope="module")
def worlds():
    made = Worlds()
    yield made
    assert made.close() == []


@pytest.fixture(scope="module")
def world(worlds):
    return worlds.get(1)


@pytest.fixture(scope="module")
def table(world):
    return world.tables[1]


def words(text):
    return tuple(word.encode() for word in text.split())


def steps(*lines, connection=0):
    return [Step(connection, words(line)) for line in lines]


# what is compared

@pytest.mark.parametrize("seed", range(1, 5))
def test_random_commands(worlds, seed):
    plan = draw(worlds.table()[0], seed)
    found = worlds.play(plan)
    assert found is None, of_failure(worlds, plan, found)


@pytest.mark.parametrize("connection", range(2))
def test_listed_commands(world, connection, request):
    """Corner cases written down, one a line, in data/replies.txt."""
    text = (request.path.parent / "data" / "replies.txt").read_text()
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    commands = [tuple(word.encode().decode("unicode_escape").encode("latin-1") if word != "''"
                      else b"" for word in line.split(" ")) for line in lines]
    found = world.play([Step(connection, command) for command in commands])
    assert found is None, found.text


# that a difference is found

@pytest.mark.parametrize("line, what", [
    ("INFO server", "info"), ("SRANDMEMBER set -100", "srandmember"),
    ("EVAL redis.call('info') 0", "eval")])
def test_a_reply_that_differs_is_found(world, monkeypatch, line, what):
    monkeypatch.setattr(laws, "LAWS", [])
    monkeypatch.setattr(laws, "NEW_IN_7_2", [])
    script = "return redis.call('info')"
    sent = replace(steps(line)[0], words=(b"EVAL", script.encode(), b"0")) if what == "eval" else (
        steps(line)[0])
    found = world.play([*steps("SET key text", "SADD set a b c d e"), sent])
    assert found and found.what == what


def test_data_that_differ_are_found(world):
    found = world.play(steps("SADD set 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "SPOP set 8"))
    assert found and found.what == "data" and "'set'" in found.text


def test_a_transaction_is_compared_by_its_commands(world):
    """Chance and clocks have their laws there, too, and nothing else has."""
    lines = ["SADD set a b c d e", "SET key text EX 1000", "MULTI", "SRANDMEMBER set", "TTL key",
             "MEMORY USAGE key", "EXEC"]
    assert world.play(steps(*lines)) is None


@pytest.mark.parametrize("line, what", [
    ("SET mine 1", "data"), ("DEL key", "data"), ("PEXPIRE key 100000", "data"),
    ("XGROUP CREATE stream g $", "data"), ("FUNCTION LOAD library", "functions")])
@pytest.mark.parametrize("side", range(2))
def test_replicas_that_differ_are_found(world, side, line, what):
    assert world.play(steps("SET key 1 PX 200000", "XADD stream 1-1 a b")) is None
    library = b"#!lua name=mine\nredis.register_function('mine', function() end)"
    sent = [library if word == b"library" else word for word in words(line)]
    with world.sides[side].replica.connect() as replica:
        replica("CONFIG", "SET", "replica-read-only", "no")
        try:
            replica(*sent)
            found = Playing(world, False).check_replicas(0)
            assert found and what in found.what
        finally:
            replica("CONFIG", "SET", "replica-read-only", "yes")


def test_a_failure_is_told_by_the_shortest_sequence(worlds, table, monkeypatch):
    monkeypatch.setattr(laws, "LAWS", laws.LAWS[:2])
    before = [step for step in Generator(table, 7, groups=("string",)).steps(300)
              if b"KEYS" not in step.words]
    plan = Plan(1, 1, False, (*before, *steps("SADD set a b c", "SET key text",
                                             "SRANDMEMBER set -100")))
    found = worlds.play(plan)
    assert found
    lines = of_failure(worlds, plan, found).splitlines()
    assert lines[0].startswith("seed 1, 1 workers: ") and len(lines) < 10


def test_shortest():
    fails = {b"b", b"e"}
    sequence = steps("a x", "b x y", "c", "d", "e z")
    found = shortest(sequence, lambda left: fails <= {word for step in left for word in step.words},
                     5)
    assert [step.words for step in found] == [(b"b",), (b"e",)]
    assert shortest(sequence, lambda left: True, -1) == sequence  # no time


# laws

@pytest.mark.parametrize("line, ours, theirs, equal", [
    ("SMEMBERS s", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n", True),
    ("SMEMBERS s", b"*2\r\n$1\r\na\r\n$1\r\nc\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n", False),
    ("LRANGE l 0 -1", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n", False),
    ("HGETALL h", b"*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
     b"*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\n1\r\n", True),
    ("HGETALL h", b"*4\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n1\r\n",
     b"*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\n1\r\n", False),
    ("SSCAN s 0", b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n", b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n",
     False),
    ("SSCAN s 0", b"*2\r\n$1\r\n8\r\n*1\r\n$1\r\na\r\n", b"*2\r\n$1\r\n4\r\n*1\r\n$1\r\nb\r\n",
     True),
    ("TTL k", b":100\r\n", b":102\r\n", True), ("TTL k", b":100\r\n", b":200\r\n", False),
    ("TTL k", b":-1\r\n", b":1\r\n", False), ("STRLEN k", b":100\r\n", b":101\r\n", False),
    ("SRANDMEMBER s", b"$1\r\na\r\n", b"$1\r\nb\r\n", True),
    ("SRANDMEMBER s", b"$1\r\na\r\n", b"$-1\r\n", False),
    ("SRANDMEMBER s 2", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nc\r\n$1\r\na\r\n", True),
    ("SRANDMEMBER s 2", b"*2\r\n$1\r\na\r\n$1\r\na\r\n", b"*2\r\n$1\r\nc\r\n$1\r\na\r\n", False),
    ("SRANDMEMBER s -2", b"*2\r\n$1\r\na\r\n$1\r\na\r\n", b"*2\r\n$1\r\nc\r\n$1\r\na\r\n", True),
    ("SRANDMEMBER s 3", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n", True),
    ("SRANDMEMBER s 3", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nc\r\n$1\r\na\r\n", False),
    ("HRANDFIELD h 3 WITHVALUES", b"*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n1\r\n",
     b"*4\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n1\r\n", True),
    ("ZSCORE z a", b"$3\r\n0.1\r\n", b"$19\r\n0.10000000000000001\r\n", True),
    ("ZSCORE z a", b"$3\r\n0.1\r\n", b"$3\r\n0.2\r\n", False),
    ("INFO", b"$1\r\na\r\n", b"-ERR no\r\n", False),
    ("GET k", b"-ERR one\r\n", b"-ERR other\r\n", False),
    ("GET k b", b"-ERR syntax error\r\n",
     b"-ERR wrong number of arguments for 'get' command\r\n", False),
    ("SORT s BY nosort", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n", True),
    ("SORT s ALPHA", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n", False),
    ("XADD x * a b", b"$15\r\n1795986320431-0\r\n", b"$15\r\n1795986320439-0\r\n", True),
    ("XREAD STREAMS x 0", b"*1\r\n$15\r\n1795986320431-0\r\n",
     b"*1\r\n$15\r\n1795986320428-0\r\n", True),
    ("XRANGE x - +", b"*1\r\n$15\r\n1795986320431-0\r\n",
     b"*1\r\n$15\r\n1795986320428-0\r\n", False),
    ("XADD x * a b", b"$3\r\n1-0\r\n", b"$10\r\n99999999-0\r\n", False),
])
def test_laws(world, line, ours, theirs, equal):
    assert laws.differ(world.tables[1], words(line), ours, theirs) is not equal
    if ours[:1] == b"*":
        called = (b"EVAL", b"return redis.call(unpack(ARGV))", b"0", *words(line))
        assert laws.differ(world.tables[1], called, ours, theirs) is not equal


# the generator

def test_a_seed_replays_its_plan(table):
    assert draw(table, 5) == draw(table, 5) != draw(table, 6)


def test_every_command_is_sent_or_left_out(table):
    """And each node of its syntax, though few of the rare ones in so short a time."""
    reached = set()
    made = Generator(table, 1, WRITERS, WAITERS, SUBSCRIBERS).steps(20000)
    made += Generator(table, 2, WRITERS, (), SUBSCRIBERS).steps(40000)
    for step in made:
        assert not left_out.forbidden(step.words, table) or step.connection in WAITERS or (
            step.words[0] in (b"MULTI", b"EXEC", b"DISCARD", b"DEBUG"))
        reached |= step.reached
    sent = {name for name, command in table.items() if not left_out.reason(command)}
    assert sent - reached == set()
    nodes = {node.path for name in sent for node in table[name].nodes()}
    assert len(nodes - reached) < len(nodes) / 20, sorted(nodes - reached)


def test_a_new_command_is_picked_up(table):
    """With what its row says, and nothing else."""
    def argument(name, kind, **more):
        return Argument(**{"path": f"zfold {name}", "name": name, "kind": kind, "token": None,
                           "optional": False, "multiple": False, "token_each_time": False,
                           "parts": (), **more})
    row = Command(name="zfold", group="sorted-set", arity=-4, flags=frozenset(["write"]),
                  tips=frozenset(), has_keys=True, is_container=False, arguments=(
                      argument("numkeys", "integer"), argument("key", "key", multiple=True),
                      argument("by", "double", token="BY", optional=True)))
    seen = [step.words for step in Generator({"zfold": row}, 1, mistakes=0).steps(200)
            if step.words[0].lower() == b"zfold"]
    assert len(seen) > 100
    for name, numkeys, *rest in seen:
        keys = rest[:int(numkeys)]
        assert keys and all(key.split(b":")[0] in (b"sorted", b"list", b"string", b"stream")
                            for key in keys), rest
        assert rest[int(numkeys):] == [] or rest[int(numkeys)].upper() == b"BY"


@pytest.mark.parametrize("line, is_forbidden", [
    ("BLPOP list:1 0", True), ("BLPOP list:1 0.0", True), ("BLPOP list:1 30", True),
    ("BLPOP list:1 0.01", False), ("BLPOP list:1 -1", False), ("BLPOP list:1 x", False),
    ("BLMPOP 0 1 list:1 LEFT", True), ("XREAD BLOCK 0 STREAMS s 0", True),
    ("XREAD COUNT 0 STREAMS s 0", False), ("SYNC", True), ("sync x", True),
    ("SETBIT string:1 4294967295 1", True), ("BITFIELD string:1 SET u8 #99999999 1", True),
    ("SRANDMEMBER set:1 -99999", True), ("SRANDMEMBER set:1 -9223372036854775808", False),
    ("CONFIG REWRITE", True), ("CONFIG GET maxmemory", True), ("CLUSTER NODES", True),
    ("ACL SETUSER default off", True), ("COMMAND", True), ("COMMAND GETKEYS GET a", False),
    ("COMMAND GETKEYS GET", True), ("ZRANGEBYLEX sorted:1 - +", True),
    ("ZRANGEBYLEX lexical:1 - +", False),
    ("ZRANGE sorted:1 - + BYLEX", True), ("ZRANK z m WITHSCORE", True), ("ZRANK z m", False),
    ("COMMAND GETKEYS ZRANK z m WITHSCORE", True)])
def test_what_must_not_be_sent(table, line, is_forbidden):
    assert (left_out.forbidden(words(line), table) is not None) == is_forbidden


def test_what_differs_by_chance_is_taken_away_at_once(table):
    made = Generator(table, 3, groups=("set", "stream")).steps(2000)
    assert any(step.then for step in made)
    for step in made:
        inner = generators.scripts.called(step.words) or step.words
        assert step.then == generators.what_follows(inner)


def test_the_table_is_read_whole(start):
    server = start("redis")
    with server.connect() as connection:
        made = read_table(connection)
        assert len([row for row in made.values() if "|" not in row.name]) == connection(
            "COMMAND", "COUNT")
    zadd = made["zadd"]
    assert (zadd.arity, zadd.group, zadd.has_keys) == (-4, "sorted-set", True)
    assert [node.name for node in zadd.arguments] == [
        "key", "condition", "comparison", "change", "increment", "score_member"]
    assert [(node.token, node.optional) for node in zadd.arguments[3:5]] == [("CH", True),
                                                                             ("INCR", True)]
    assert made["xgroup|create"].words == ["xgroup", "create"] and made["xgroup"].is_container


def test_a_server_that_ends_is_a_difference(worlds, monkeypatch):
    plan = Plan(1, 4, False, tuple(steps("SET key 1", "SHUTDOWN NOSAVE", "GET key")))
    found = worlds.play(plan)
    assert found and found.what in ("EOFError", "ConnectionResetError", "BrokenPipeError")
    assert worlds.play(replace(plan, steps=tuple(steps("GET key")))) is None  # servers are new
