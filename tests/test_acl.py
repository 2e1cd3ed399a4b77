"""What users may do: the rules, and every place in which a call is denied; ACL LOG; each command of
the table denied and allowed by itself."""
import re

import pytest

from harness.acl import ALL, FOO, NO_CHANNEL, NO_KEY, OLD, fields, no_command, user
from harness.wait import wait_until
from harness.wire import ReplyError, encode


# Commands, in this order, whose replies are the same in 7.0 and 7.2. Rules about commands come one
# at a time, for a 7.0 tells them in an order of its own.
AS_REDIS = """
ACL HELP
ACL
ACL nosuch
ACL HELP x
ACL WHOAMI
ACL WHOAMI x
ACL USERS
ACL USERS x
ACL LIST x
ACL CAT
ACL CAT nosuch
ACL CAT a b
ACL GENPASS 0
ACL GENPASS -1
ACL GENPASS 4097
ACL GENPASS x
ACL GENPASS 1 2
ACL LOG x
ACL LOG -1
ACL LOG 1 2
ACL LOG RESET
ACL LOAD
ACL LOAD x
ACL SAVE
ACL GETUSER
ACL GETUSER nosuch
ACL GETUSER a b
ACL SETUSER
ACL DELUSER
ACL DELUSER default
ACL DELUSER nosuch default
ACL DELUSER nosuch
ACL DRYRUN default
ACL DRYRUN default GET
ACL DRYRUN nosuch GET a
ACL DRYRUN default nosuch
ACL DRYRUN default CONFIG nosuch
ACL DRYRUN default CONFIG
ACL DRYRUN default GET a
ACL SETUSER u sanitize-payload
ACL LIST u
ACL GETUSER u
ACL SETUSER u on >foo >bar <bar
ACL SETUSER u #FOO
ACL SETUSER u !FOO
ACL SETUSER u !FOO
ACL SETUSER u #abc
ACL SETUSER u !abc
ACL SETUSER u <nosuch
ACL SETUSER u nopass
ACL GETUSER u
ACL SETUSER u resetpass >foo
ACL SETUSER u ~a* %R~b %W~c %RW~d %rW~e ~a*
ACL SETUSER u %~x
ACL SETUSER u %
ACL SETUSER u %RR~x
ACL SETUSER u %X~x
ACL SETUSER u &a &b* &a
ACL SETUSER u +get
ACL GETUSER u
ACL DRYRUN u GET a1
ACL DRYRUN u GET b
ACL DRYRUN u AUTH x
ACL SETUSER u allkeys ~x
ACL SETUSER u allchannels &x
ACL SETUSER u +nosuch
ACL SETUSER u -nosuch
ACL SETUSER u +@nosuch
ACL SETUSER u +config|nosuch
ACL SETUSER u -config|nosuch
ACL SETUSER u +config|
ACL SETUSER u +config|get|x
ACL SETUSER u +select|
ACL SETUSER u -select|0
ACL SETUSER u +
ACL SETUSER u nosuch
ACL SETUSER u on nosuch off
ACL SETUSER u ''
ACL SETUSER u resetkeys resetchannels -@all +select|0
ACL GETUSER u
ACL SETUSER u (~x +get) (&y +publish) ()
ACL SETUSER u (~x +get
ACL SETUSER u (
ACL SETUSER u )
ACL SETUSER u (on)
ACL SETUSER u (~x +nosuch)
ACL SETUSER u (~"x)
ACL GETUSER u
ACL DRYRUN u GET x
ACL SETUSER u clearselectors skip-sanitize-payload
ACL GETUSER u
ACL SETUSER u reset sanitize-payload
ACL GETUSER u
ACL SETUSER '' sanitize-payload
ACL USERS
ACL DELUSER u '' u
AUTH
AUTH x
AUTH default
AUTH default x
AUTH nosuch x
AUTH a b c
HELLO 2 AUTH default
HELLO 2 AUTH nosuch x
CLIENT KILL USER nosuch
CLIENT KILL USER default SKIPME yes
CONFIG SET aclfile x
CONFIG SET acl-pubsub-default x
CONFIG SET acllog-max-len -1
COMMAND GETKEYS ACL SETUSER a
"""


@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_are_those_of_redis(start, protocol):
    ours, theirs = (start(kind).connect(protocol=protocol) for kind in ("tandem", "redis"))
    differing = []
    for line in AS_REDIS.strip().splitlines():
        words = re.findall(r"\([^)]*\)|\(.*|[^ ]+", line.replace("FOO", FOO))
        words = ["" if word == "''" else word for word in words]
        here, there = (connection.raw(*words) for connection in (ours, theirs))
        if not OLD:
            there = there.replace(b"This user has", b"User u has").replace(b"Prints", b"Print")
        if here != there:
            differing.append(f"{line}\n    {here}\n    {there}")
    assert not differing, "\n".join(differing)


def test_usernames_have_no_blanks(client):
    for name in ("a b", "a\0b", "a\nb"):
        assert client.error("ACL", "SETUSER", name) == (
            "ERR Usernames can't contain spaces or null characters")
    assert client("ACL", "SETUSER", "ä") == "OK"
    assert client("ACL", "USERS") == ["default", "ä"]


def test_a_selector_may_come_in_several_words(client):
    client("ACL", "SETUSER", "u", "(~a", "+get", "&b)", "on")
    assert client("ACL", "LIST")[1].endswith("-@all (~a resetchannels &b -@all +get)")
    assert client.error("ACL", "SETUSER", "u", "(~a", "+get") == (
        "ERR Unmatched parenthesis in acl selector starting at '(~a'.")


def test_nothing_of_a_wrong_setuser_counts(client):
    client("ACL", "SETUSER", "u", "on", ">foo", "+get", "~a")
    before = client("ACL", "LIST")
    assert client.error("ACL", "SETUSER", "u", "off", "resetpass", "nosuch") == (
        "ERR Error in ACL SETUSER modifier 'nosuch': Syntax error")
    assert client.error("ACL", "SETUSER", "new", "nosuch").startswith("ERR Error in ACL SETUSER")
    assert client("ACL", "LIST") == before


@pytest.mark.skipif(OLD, reason="since 7.2")
def test_rules_about_commands_are_told_in_their_order(client):
    cases = {
        "+@all -@hash -@slow +hget": "+@all -@hash -@slow +hget",
        "+@all -@hash -@slow +hget -@hash": "+@all -@slow +hget -@hash",
        "-@all +@HASH +@hash +HGET +hget": "-@all +@hash +hget",
        "-@all +client|list +config|get +config +acl|list -acl": "-@all +client|list +config -acl",
        "-@all +config +config|get -config|set +config": "-@all +config",
        "-@all +select|0 +select|0 -@dangerous": "-@all +select|0 -@dangerous",
    }
    for rules, told in cases.items():
        client("ACL", "SETUSER", "u", "reset", *rules.split())
        assert fields(client("ACL", "GETUSER", "u"))["commands"] == told
    assert client("ACL", "LIST") == [
        "user default on nopass sanitize-payload ~* &* +@all",
        "user u off sanitize-payload resetchannels -@all +select|0 -@dangerous"]


def test_categories_are_redis_own(start):
    """The commands of each category, as far as both have them."""
    ours, theirs = (start(kind).connect() for kind in ("tandem", "redis"))
    known = set(ours("COMMAND", "LIST")) & set(theirs("COMMAND", "LIST"))
    assert ours("ACL", "CAT") == theirs("ACL", "CAT")
    for category in theirs("ACL", "CAT"):
        here, there = (set(connection("ACL", "CAT", category.upper())) & known
                       for connection in (ours, theirs))
        if category == "blocking" and not OLD:
            there.add("wait")  # since 7.2
        assert here == there, category


def test_passwords_are_made_that_nobody_can_guess(client):
    made = {client("ACL", "GENPASS") for _ in range(20)}
    assert len(made) == 20 and all(re.fullmatch("[0-9a-f]{64}", password) for password in made)
    assert [len(client("ACL", "GENPASS", bits)) for bits in (1, 4, 5, 4096)] == [1, 1, 2, 1024]


# Every place in which a command may be denied.


def test_what_is_denied_at_the_top(server):
    limited = user(server, "u", "~a*", "%R~r", "%W~w", "&c*", "+@all", "-del", "-config|set")
    assert limited("SET", "a1", "x") == "OK"
    assert limited.error("DEL", "a1") == no_command("del", "u")
    assert limited.error("CONFIG", "SET", "maxclients", 5) == no_command("config|set", "u")
    assert limited("CONFIG", "GET", "maxclients")[1] != "5"
    assert limited.error("GET", "b") == NO_KEY
    assert limited("GET", "r") is None
    assert limited.error("SET", "r", "x") == NO_KEY
    assert limited("SET", "w", "x") == "OK"
    assert limited.error("SET", "w", "x", "GET") == NO_KEY
    assert limited.error("GET", "w") == NO_KEY
    assert limited("EXISTS", "w", "r", "a1") == 2
    assert limited.error("EXISTS", "w", "b") == NO_KEY
    assert limited.error("MSET", "a1", "x", "b", "y") == NO_KEY
    assert limited("LMOVE", "a1l", "w", "LEFT", "LEFT") is None
    assert limited.error("LMOVE", "w", "a1l", "LEFT", "LEFT") == NO_KEY
    assert limited.error("EVAL", "return 1", 1, "b") == NO_KEY
    assert limited("EVAL", "return 1", 1, "a") == 1
    assert limited.error("EVAL", "return 1", 9, "b").startswith("ERR Number of keys")
    assert limited.error("XREAD", "STREAMS", "b", "0") == NO_KEY
    assert limited("PUBLISH", "c1", "x") == 0
    assert limited.error("PUBLISH", "d", "x") == NO_CHANNEL
    assert limited.error("SUBSCRIBE", "c1", "d") == NO_CHANNEL
    assert limited.error("PSUBSCRIBE", "c1") == NO_CHANNEL  # no pattern of its own
    assert limited("SPUBLISH", "c1", "x") == 0
    assert limited.error("SPUBLISH", "d", "x") == NO_CHANNEL
    assert limited.error("SSUBSCRIBE", "c1", "d") == NO_CHANNEL
    assert limited("SSUBSCRIBE", "c1") == ["ssubscribe", "c1", 1]
    assert limited("SUNSUBSCRIBE", "d") == ["sunsubscribe", "d", 1]  # asks for no right
    assert limited("PSUBSCRIBE", "c*") == ["psubscribe", "c*", 1]


def test_what_is_denied_comes_in_the_order_of_redis(start):
    """Unknown commands and the number of words are told first, the state of the server later."""
    for kind in ("tandem", "redis"):
        server = start(kind, "--min-replicas-to-write", 1)
        limited = user(server, "u", "-@all")
        assert limited.error("NOSUCH").startswith("ERR unknown command")
        assert limited.error("CONFIG", "NOSUCH").startswith("ERR unknown subcommand")
        assert limited.error("SET", "a").startswith("ERR wrong number of arguments")
        assert limited.error("SET", "a", "b").startswith("NOPERM")
        assert limited.error("MULTI").startswith("NOPERM")
        with server.connect() as admin:
            admin("ACL", "SETUSER", "u", "+multi", "+discard")
        assert limited("MULTI") == "OK"
        assert limited.error("SAVE") == "ERR Command not allowed inside a transaction"
        assert limited("DISCARD") == "OK"


SORTS = [["SORT", "a"], ["SORT", "a", "BY", "w_*"], ["SORT_RO", "a", "BY", "w_*->f"],
         ["SORT", "a", "BY", "nosort"], ["SORT", "a", "GET", "#"], ["SORT_RO", "a", "GET", "w_*"],
         ["SORT", "a", "GET", "x", "NOSUCH"], ["SORT", "a", "STORE", "a"],
         ["EVAL", "return redis.call('SORT', KEYS[1], 'BY', 'w_*')", 1, "a"]]


@pytest.mark.parametrize("rules", [
    ["~a"], ["~*"], ["%R~*"], ["%W~*"], ["%R~*", "%W~a"], ["~a", "(%R~* +sort)"],
    ["~a", "(~* +get)"]])
def test_sort_reads_keys_that_it_does_not_name(start, rules):
    """Only for who may read every key."""
    limited = [user(start(kind), "u", "+@all", "-get", *rules) for kind in ("tandem", "redis")]
    for command in SORTS:
        replies = []
        for client in limited:
            client.send(encode(*command))
            replies.append(client.read_raw())
        if replies[0].startswith(b"-NOPERM") or command[0] == "EVAL":  # others in 7.2
            for part in (b"-NOPERM", b"BY option"):
                assert (part in replies[0]) == (part in replies[1]), command
        else:
            assert replies[0] == replies[1], command


def test_transactions(server):
    limited = user(server, "u", "~a*", "+@all", "-incr")
    with server.connect() as admin:
        assert limited("MULTI") == "OK"
        assert limited.error("INCR", "a") == no_command("incr", "u")
        assert limited.error("EXEC") == (
            "EXECABORT Transaction discarded because of previous errors.")
        for taken, given, reason in [
                ("-set", "+set", "no permission to execute the command or subcommand"),
                ("resetkeys", "~a*", "no permission to touch the specified keys"),
                ("-publish", "+publish", None)]:
            limited("MULTI")
            assert limited("SET", "a", "x") == "QUEUED"
            assert limited("PING") == "QUEUED"
            admin("ACL", "SETUSER", "u", taken)
            replies = limited("EXEC")
            assert replies[1] == "PONG"
            assert str(replies[0]) == ("OK" if reason is None else
                                       "NOPERM ACLs rules changed between the moment the "
                                       "transaction was accumulated and the EXEC call. This command"
                                       f" is no longer allowed for the following reason: {reason}")
            admin("ACL", "SETUSER", "u", given)
        limited("MULTI")
        limited("SET", "a", "x")
        admin("ACL", "SETUSER", "u", "-exec")
        assert limited.error("EXEC") == ("EXECABORT Transaction discarded because of: "
                                         + no_command("exec", "u"))
        assert limited.error("DISCARD") == "ERR DISCARD without MULTI"


def test_a_transaction_goes_on_as_who_it_logs_in(server):
    other = user(server, "eve", "+@all")
    limited = user(server, "u", "+@all", "~*", "-incr")
    limited("MULTI")
    for words in (["AUTH", "eve", "x"], ["ACL", "WHOAMI"], ["GET", "a"]):
        assert limited(*words) == "QUEUED"
    replies = limited("EXEC")
    assert replies[:2] == ["OK", "eve"] and "touch the specified keys" in str(replies[2])
    assert limited("ACL", "WHOAMI") == other("ACL", "WHOAMI") == "eve"


def test_scripts_act_as_their_caller(server):
    limited = user(server, "u", "~a", "&c", "+@all", "-incr")
    failure = "ERR ACL failure in script: "

    def error(script):
        return re.sub(r" script: [0-9a-f]{40}, on @user_script:1\.$", "",
                      limited.error("EVAL", script, 0))

    if not OLD:
        assert error("return redis.call('incr','a')") == failure + (
            "User u has no permissions to run the 'incr' command")
        assert error("return redis.pcall('get','b')") == failure + "No permissions to access a key"
        assert error("return redis.call('publish','d','x')") == failure + (
            "No permissions to access a channel")
    else:
        assert error("return redis.call('incr','a')").startswith("ERR The user executing")
    assert limited("EVAL", "redis.call('set','a',1) return redis.call('get','a')", 0) == "1"
    check = "return redis.acl_check_cmd(unpack(ARGV))"
    for words, allowed in [("get a", 1), ("get b", None), ("incr a", None), ("publish c x", 1),
                           ("publish d x", None), ("config set a b", 1), ("eval x 1 b", None)]:
        assert limited("EVAL", check, 0, *words.split()) == allowed, words
    for words in ("nosuch", "config nosuch"):
        assert "Invalid command passed to redis.acl_check_cmd()" in limited.error(
            "EVAL", check, 0, *words.split())


@pytest.mark.skipif(OLD, reason="since 7.2")
def test_blocked_clients_are_asked_again_before_they_are_served(server):
    limited = user(server, "u", "~*", "+@all")
    with server.connect() as admin, server.connect() as other:
        for block, taken, error in [
                (["BLPOP", "l", 0], "resetkeys", NO_KEY),
                (["BLMOVE", "l", "m", "LEFT", "LEFT", 0], "-blmove", no_command("blmove", "u")),
                (["BZPOPMIN", "l", 0], "-@all", no_command("bzpopmin", "u")),
                (["XREAD", "BLOCK", 0, "STREAMS", "l", "$"], "%W~*", None)]:
            admin("ACL", "SETUSER", "u", "+@all", "allkeys")
            limited.send(encode(*block))
            wait_until(lambda: server.info()["blocked_clients"] == "1", "it waits")
            admin("ACL", "SETUSER", "u", *(["resetkeys", taken] if error is None else [taken]))
            admin("CONFIG", "RESETSTAT")
            push = {"BLPOP": ["RPUSH", "l", "x"], "BLMOVE": ["RPUSH", "l", "x"],
                    "BZPOPMIN": ["ZADD", "l", 1, "x"], "XREAD": ["XADD", "l", "*", "a", "b"]}
            other(*push[block[0]])
            with pytest.raises(ReplyError) as refused:
                limited.read()
            assert str(refused.value) == error or NO_KEY
            assert other("DEL", "l") == 1  # it is all still there
            stats = server.info("commandstats")["cmdstat_" + block[0].lower()]
            assert stats.startswith("calls=0,") and "rejected_calls=1,failed_calls=0" in stats


# What is noted.


def test_the_log_of_what_was_denied(server):
    limited = user(server, "u", "~a", "&c", "+@all", "-incr")
    with server.connect() as admin:
        admin("ACL", "LOG", "RESET")
        for _ in range(3):
            limited.error("INCR", "a")
        limited.error("GET", "b")
        limited.error("PUBLISH", "d", "x")
        limited("MULTI")
        limited.error("GET", "b")
        limited("DISCARD")
        limited.error("EVAL", "return redis.call('incr','a')", 0)
        limited.error("auth", "nosuch", "x")
        limited.error("HELLO", 2, "AUTH", "u2", "x")
        expected = [("auth", "toplevel", "HELLO", "u2", 1, "hello"),
                    ("auth", "toplevel", "auth", "nosuch", 1, "auth"),
                    ("command", "lua", "incr", "u", 1, "eval"),
                    ("key", "multi", "b", "u", 1, "get"),
                    ("channel", "toplevel", "d", "u", 1, "publish"),
                    ("key", "toplevel", "b", "u", 1, "get"),
                    ("command", "toplevel", "incr", "u", 3, "incr")]
        entries = [fields(entry) for entry in admin("ACL", "LOG")]
        assert [(of["reason"], of["context"], of["object"], of["username"], of["count"])
                for of in entries] == [case[:5] for case in expected]
        for of, case in zip(entries, expected):
            assert f" cmd={case[5]} user=" in of["client-info"]
            assert 0 <= float(of["age-seconds"]) < 60
        if not OLD:
            assert [of["entry-id"] for of in entries] == list(
                range(entries[-1]["entry-id"] + 6, entries[-1]["entry-id"] - 1, -1))
            assert list(entries[0]) == ["count", "reason", "context", "object", "username",
                                        "age-seconds", "client-info", "entry-id",
                                        "timestamp-created", "timestamp-last-updated"]
            oldest = entries[-1]
            assert oldest["timestamp-created"] <= oldest["timestamp-last-updated"]
        assert len(admin("ACL", "LOG", 2)) == 2
        assert admin("ACL", "LOG", "reset") == "OK" and admin("ACL", "LOG") == []
        with server.connect(protocol=3) as modern:
            limited.error("INCR", "a")
            entry = modern("ACL", "LOG")[0]
            assert entry["count"] == 1 and isinstance(entry["age-seconds"], float)


def test_the_log_has_a_length(server):
    limited = user(server, "u", "+@all")
    with server.connect() as admin:
        for length, kept in ((5, 5), (0, 0)):
            admin("ACL", "LOG", "RESET")
            admin("CONFIG", "SET", "acllog-max-len", length)
            for number in range(10):
                limited.error("GET", number)
            assert len(admin("ACL", "LOG", 100)) == kept


def test_info_counts_what_was_denied(server):
    limited = user(server, "u", "~a", "&c", "+@all", "-incr")

    def counts():
        info = server.info("stats")
        return [int(info.get("acl_access_denied_" + kind, 0))
                for kind in ("cmd", "key", "channel", "auth")]

    before = counts()
    limited.error("INCR", "a")
    for _ in range(2):
        limited.error("GET", "b")
    for _ in range(3):
        limited.error("PUBLISH", "d", "x")
    for words in (["AUTH", "u", "x"], ["AUTH", "nosuch", "x"], ["HELLO", 2, "AUTH", "n", "x"]):
        limited.raw(*words)
    if not OLD:
        assert [now - then for now, then in zip(counts(), before)] == [1, 2, 3, 2]
        with server.connect() as admin:
            admin("CONFIG", "RESETSTAT")
        assert [now - then for now, then in zip(counts(), before)] == [1, 2, 3, 2]


def test_no_password_is_shown(server):
    with server.connect() as admin, server.connect() as monitor:
        assert monitor("MONITOR") == "OK"
        admin("CONFIG", "SET", "slowlog-log-slower-than", 0)
        admin("ACL", "SETUSER", "u", "on", ">secret", "+@all")
        admin.error("ACL", "SETUSER", "a b", ">secret")
        admin.error("ACL", "SETUSER", "u", ">secret", "nosuch")
        admin("AUTH", "u", "secret")
        admin("HELLO", 2, "AUTH", "u", "secret", "SETNAME", "me")
        admin.error("AUTH", "secret")
        admin("CONFIG", "SET", "masterauth", "secret", "masteruser", "secret")
        shown = [entry[3] for entry in admin("SLOWLOG", "GET", 100)]
        assert ["ACL", "SETUSER", "(redacted)", "(redacted)", "(redacted)", "(redacted)"] in shown
        assert ["HELLO", "2", "AUTH", "(redacted)", "(redacted)", "SETNAME", "me"] in shown
        assert "secret" not in str(shown)
        admin("ECHO", "the end")
        lines = []
        while not lines or "the end" not in lines[-1]:
            lines.append(monitor.read())
        assert "secret" not in str(lines) and any("(redacted)" in line for line in lines)
        assert "secret" not in str(admin("ACL", "LOG"))
    assert "secret" not in server.log_text()


# The whole table.


def arguments_for(row):
    """Words with which a command is complete, whatever they say."""
    name, arity = row[0].split("|"), abs(row[1])
    return name + ["1"] * (arity - len(name))


def table(admin):
    """All commands and subcommands; the names of those that can be called, and of those that every
    user may call, for they are how one becomes another."""
    rows = [of for row in admin("COMMAND") for of in ([row, *row[9]] if row[9] else [row])]
    callable_names = {row[0] for row in rows if not row[9] or row[0] == "command"}
    always = {row[0] for row in rows if "no_auth" in row[2]}
    assert len(callable_names) > 200 and always == {"auth", "hello", "quit", "reset"}
    return rows, callable_names, always


def let_in(admin, rows, callable_names):
    """The commands that the user u may run."""
    rows = [row for row in rows if row[0] in callable_names]
    replies = admin.pipeline([["ACL", "DRYRUN", "u", *arguments_for(row)] for row in rows])
    return {row[0] for row, reply in zip(rows, replies) if reply == b"+OK\r\n"}


def with_parts(name, callable_names):
    return {of for of in callable_names if of == name or of.startswith(name + "|")}


def test_each_command_can_be_denied_by_itself(server):
    """Who may do everything but one command is told so for this one, by name, and for no other."""
    limited = user(server, "u", *ALL)
    with server.connect() as admin:
        rows, callable_names, always = table(admin)
        for row in rows:
            name = row[0]
            admin("ACL", "SETUSER", "u", "+@all", "-" + name)
            denied = callable_names - let_in(admin, rows, callable_names)
            assert denied == with_parts(name, callable_names) - always, name
            if name in denied and not name.startswith("module|"):  # which are switched off
                error = limited.error(*arguments_for(row))
                before = "EXECABORT Transaction discarded because of: " if name == "exec" else ""
                assert error == before + no_command(name, "u")


def test_each_command_can_be_allowed_by_itself(server):
    """Who may do nothing but one command is let in to this one, and to no other."""
    with server.connect() as admin:
        rows, callable_names, always = table(admin)
        for row in rows:
            admin("ACL", "SETUSER", "u", "reset", "~*", "&*", "+" + row[0])
            allowed = with_parts(row[0], callable_names) | always
            assert let_in(admin, rows, callable_names) == allowed, row[0]
