"""Users come, change and go: who a client is, what becomes of it, files of users, replicas."""
import threading

import pytest
import redis

from harness.acl import ALL, FOO, NO_KEY, OLD, fields, no_command, user
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import ReplyError, encode


# What becomes of clients.


@pytest.mark.parametrize("had, subscribe, has, lives", [
    (["&a"], ["SUBSCRIBE", "a"], ["resetchannels"], False),
    (["&a", "&b"], ["SUBSCRIBE", "a"], ["resetchannels", "&a"], True),
    (["&a*"], ["SUBSCRIBE", "ab"], ["resetchannels", "&ab"], True),
    (["&a*"], ["SUBSCRIBE", "ab"], ["resetchannels", "&b"], False),
    (["&a*"], ["PSUBSCRIBE", "a*"], ["resetchannels", "&a*", "&b"], True),
    (["&a*"], ["PSUBSCRIBE", "a*"], ["resetchannels", "&a"], False),
    (["&*"], ["SUBSCRIBE", "a"], ["resetchannels"], False),
    (["&*"], ["PSUBSCRIBE", "a*"], ["resetchannels", "&*"], True),
    (["&a"], ["SUBSCRIBE", "a"], ["allchannels"], True),
    (["(&a", "+subscribe)"], ["SUBSCRIBE", "a"], ["clearselectors"], False),
    (["&a"], ["SUBSCRIBE", "a"], ["off", "resetkeys"], True),
    (["&a", "&b"], ["SSUBSCRIBE", "a"], ["resetchannels", "&a"], True),
    (["&a*"], ["SSUBSCRIBE", "ab"], ["resetchannels", "&b"], False),
])
def test_who_subscribes_to_what_is_taken_is_ended(server, had, subscribe, has, lives):
    other = user(server, "other", "&*", "+@all")
    assert other("SUBSCRIBE", "a", "ab") == ["subscribe", "a", 1]
    limited = user(server, "u", "+@all", *had)
    assert limited(*subscribe)[2] == 1
    with server.connect() as admin:
        admin("ACL", "SETUSER", "u", *has)
        assert ("user=u " in admin("CLIENT", "LIST")) == lives  # at once
        assert "user=other " in admin("CLIENT", "LIST")
    if not lives:
        assert limited.read_until_closed() == b""
    else:
        assert limited("PING") == ["pong", ""]


def test_clients_of_deleted_users_are_ended(server):
    first, second = (user(server, "u", *ALL) for _ in range(2))
    waiting = user(server, "u", *ALL)
    waiting.send(encode("BLPOP", "l", 0))
    wait_until(lambda: server.info()["blocked_clients"] == "1", "it waits")
    other = user(server, "other", *ALL)
    with server.connect() as admin:
        assert admin("ACL", "DELUSER", "u", "nosuch") == 1
        assert "user=u " not in admin("CLIENT", "LIST")
        assert admin("RPUSH", "l", "x") == 1 and admin("LLEN", "l") == 1
        for connection in (first, second, waiting):
            assert connection.read_until_closed() == b""
        assert other("PING") == "PONG"
        admin("ACL", "SETUSER", "u", *ALL)  # another one of that name
        assert "user=u " not in admin("CLIENT", "LIST")


def test_who_deletes_itself_is_answered_and_then_ended(server):
    connection = user(server, "u", *ALL)
    connection.send(encode("ACL", "DELUSER", "u") + encode("SET", "a", "1"))
    assert connection.read() == 1
    assert connection.read_until_closed() == b""
    with server.connect() as admin:
        assert admin("GET", "a") is None and admin("ACL", "USERS") == ["default"]


def test_clients_know_their_new_rights_at_once(start):
    """Once SETUSER is answered no worker executes anything that it forbade, however busy."""
    server = start("tandem", "--worker-threads", 4) if not OLD else start("tandem")
    stop = threading.Event()
    problems = []

    def use(connection, number):
        while not stop.is_set():
            try:
                connection("INCR", f"counter{number}")
            except ReplyError as error:
                if not str(error).startswith("NOPERM"):
                    problems.append(str(error))

    clients = [user(server, f"u{number}", "~*", "+incr") for number in range(6)]
    threads = [threading.Thread(target=use, args=(connection, number))
               for number, connection in enumerate(clients)]
    for thread in threads:
        thread.start()
    try:
        with server.connect() as admin:
            for turn in range(60):
                number = turn % len(clients)
                admin("ACL", "SETUSER", f"u{number}", "-incr" if turn % 2 else "resetkeys")
                before = admin("GET", f"counter{number}")
                for _ in range(20):
                    assert admin("GET", f"counter{number}") == before
                admin("ACL", "SETUSER", f"u{number}", "+incr", "allkeys")
                wait_until(lambda: admin("GET", f"counter{number}") != before, "it goes on")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not problems


# Who one is.


def test_auth_and_hello(server):
    with server.connect() as admin, server.connect() as connection:
        admin("ACL", "SETUSER", "u", "on", ">foo", ">bar", *ALL[2:])
        admin("ACL", "SETUSER", "eve", "on", ">foo", *ALL[2:])
        assert connection("ACL", "WHOAMI") == "default"
        for password in ("foo", "bar"):
            assert connection("AUTH", "u", password) == "OK"
            assert connection("ACL", "WHOAMI") == "u"
        for words in (["u", "baz"], ["u", FOO], ["U", "foo"], ["nosuch", "foo"]):
            assert connection.error("AUTH", *words) == (
                "WRONGPASS invalid username-password pair or user is disabled.")
        assert connection("ACL", "WHOAMI") == "u"
        words = [] if OLD else ["AUTH", "u", "wrong"]  # the last counts, since 7.2
        hello = connection("HELLO", 3, *words, "AUTH", "eve", "foo")
        assert hello["proto"] == 3 and connection("ACL", "WHOAMI") == "eve"
        assert "user=eve " in admin("CLIENT", "LIST")
        assert connection("RESET") == "RESET"
        assert connection("ACL", "WHOAMI") == "default"
        admin("ACL", "SETUSER", "u", "off")
        assert connection.error("AUTH", "u", "foo").startswith("WRONGPASS")
        admin("ACL", "SETUSER", "u", "on", "nopass")
        assert connection("AUTH", "u", "anything") == "OK"


def test_who_was_there_stays_when_its_user_is_turned_off(server):
    connection = user(server, "u", *ALL)
    with server.connect() as admin:
        admin("ACL", "SETUSER", "u", "off", "resetpass", ">foo")
        assert connection("PING") == "PONG"


def test_requirepass_is_the_password_of_the_default_user(start):
    server = start("tandem")
    with server.connect() as admin:
        assert admin.error("AUTH", "x").startswith("ERR AUTH <password> called without any")
        admin("CONFIG", "SET", "requirepass", "foo")
        assert fields(admin("ACL", "GETUSER", "default"))["passwords"] == [FOO]
        assert admin("CONFIG", "GET", "requirepass") == ["requirepass", "foo"]
        assert admin("PING") == "PONG"  # it came when there was none
        with server.connect() as late:
            assert late.error("PING") == "NOAUTH Authentication required."
            assert late("AUTH", "foo") == "OK"
        admin("ACL", "SETUSER", "default", ">bar")
        with server.connect() as late:
            assert late("AUTH", "bar") == "OK"
        admin("CONFIG", "SET", "requirepass", "foo")  # no change, so nothing changes
        assert len(fields(admin("ACL", "GETUSER", "default"))["passwords"]) == 2
        admin("CONFIG", "SET", "requirepass", "")
        assert fields(admin("ACL", "GETUSER", "default"))["passwords"] == []
        assert "nopass" in fields(admin("ACL", "GETUSER", "default"))["flags"]
        admin("ACL", "SETUSER", "default", "off")
        with server.connect() as late:
            assert late.error("PING") == "NOAUTH Authentication required."
            assert late.error("AUTH", "default", "x").startswith("WRONGPASS")
        assert admin("RESET") == "RESET"
        assert admin.error("PING").startswith("NOAUTH")


def test_the_default_user_may_be_limited(server):
    with server.connect() as admin, server.connect() as other:
        admin("ACL", "SETUSER", "admin", *ALL)
        admin("ACL", "SETUSER", "default", "-@all", "+get", "resetkeys", "~a")
        assert other("GET", "a") is None
        assert other.error("GET", "b") == NO_KEY
        assert other.error("SET", "a", "x") == no_command("set", "default")
        assert other("AUTH", "admin", "x") == "OK"
        assert other("SET", "a", "x") == "OK"


def test_client_list_and_kill_know_users(server):
    first, second = user(server, "u", *ALL), user(server, "eve", *ALL)
    with server.connect() as admin:
        assert {"user=u", "user=eve", "user=default"} <= set(admin("CLIENT", "LIST").split())
        assert "user=u " in first("CLIENT", "INFO")
        assert admin.error("CLIENT", "KILL", "USER", "nosuch") == "ERR No such user 'nosuch'"
        assert admin("CLIENT", "KILL", "USER", "u") == 1
        assert first.read_until_closed() == b"" and second("PING") == "PONG"


# Files.


def with_file(start, text, *arguments, **options):
    server = start("tandem", "--aclfile", "users.acl", *arguments, launch=False, **options)
    (server.folder / "users.acl").write_text(text)
    return server


def test_a_file_of_users(start):
    server = with_file(start, f"user u on #{FOO} ~a* +@all\n\nuser eve on nopass ~* &* +@all\n")
    server.start()
    with server.connect() as admin:
        assert admin("ACL", "USERS") == ["default", "eve", "u"]
        assert admin("AUTH", "u", "foo") == "OK" and admin("AUTH", "eve", "x") == "OK"
        admin("ACL", "SETUSER", "max", "on", ">foo", "%R~b", "(~c +get)")
        assert admin("ACL", "SAVE") == "OK"
        lines = admin("ACL", "LIST")
    assert (server.folder / "users.acl").read_text().splitlines() == lines
    server.stop()
    server.start()
    with server.connect() as admin:
        assert admin("ACL", "LIST") == lines


def test_loading_a_file_again(start):
    server = with_file(start, "user u on nopass ~* &* +@all\n").start()
    file = server.folder / "users.acl"
    stays, goes = user(server, "u", *ALL), user(server, "eve", *ALL)
    with server.connect() as admin:
        lines = admin("ACL", "LIST")
        file.write_text("user u on +nosuch\nuser u on\n")
        assert admin.error("ACL", "LOAD") == (
            "ERR users.acl:1: Error in applying operation '+nosuch': Unknown command or category "
            "name in ACL. WARNING: Duplicate user 'u' found on line 2. WARNING: ACL errors "
            "detected, no change to the previously active ACL rules was performed")
        assert admin("ACL", "LIST") == lines and stays("PING") == goes("PING") == "PONG"
        file.write_text("user u on nopass ~* &* +@all\nuser default on nopass +@all ~x\n")
        assert admin("ACL", "LOAD") == "OK"
        assert admin("ACL", "USERS") == ["default", "u"]
        assert admin.error("GET", "a") == NO_KEY  # the default user is another one, too
        # Every other user is a new one, whose clients were somebody else's.
        assert stays.read_until_closed() == goes.read_until_closed() == b""
        file.unlink()
        assert admin.error("ACL", "LOAD") == (
            "ERR Error loading ACLs, opening file 'users.acl': No such file or directory")
    loader = user(server, "u", *ALL)
    file.write_text("user u on nopass ~* &* +@all\n")
    assert loader("ACL", "LOAD") == "OK"
    assert loader.read_until_closed() == b""


def test_a_file_that_cannot_be_written(start):
    server = with_file(start, "").start()
    with server.connect() as admin:
        (server.folder / "users.acl").unlink()
        (server.folder / "users.acl").mkdir()
        assert admin.error("ACL", "SAVE") == (
            "ERR There was an error trying to save the ACLs. Please check the server logs for more "
            "information")


@pytest.mark.parametrize("file, conf, text", [
    ("user\n", "", "Aborting Redis startup because of ACL errors: users.acl:1 should start with "
     "user keyword followed by the username. WARNING: ACL errors detected"),
    (None, "", "Aborting Redis startup because of ACL errors: Error loading ACLs, opening file "
     "'users.acl': No such file or directory"),
    ("", "user u on", "please define either an ACL file or declare users directly in your "
     "redis.conf, but not both."),
])
def test_a_start_that_fails_for_the_file(start, file, conf, text):
    server = with_file(start, file or "")
    if file is None:
        (server.folder / "users.acl").unlink()
    (server.folder / "redis.conf").write_text(conf)
    server.expected_exit = {1}
    assert server.launch().wait_exit() == 1
    assert text in server.log_text()


@pytest.mark.parametrize("conf, text", [
    ("user u on\nuser u off",
     "Error in user declaration 'u': Duplicate user found. A user can only be defined once in "
     "config files"),
    ("user u on nosuch", "Error in user declaration '"),
    ("user u on +nosuch",
     "Error loading ACL rule '+nosuch' for the user named 'u': Unknown command or category name in "
     "ACL"),
    ('user "a b" on', "Spaces not allowed in ACL usernames"),
    ("user", "Bad directive or wrong number of arguments"),
    ("user u (~a +get", "Error in user declaration '"),
])
def test_a_start_that_fails_for_a_declared_user(start, conf, text):
    server = start("tandem", launch=False)
    (server.folder / "redis.conf").write_text(conf)
    server.expected_exit = {1}
    assert server.launch().wait_exit() == 1
    assert text in server.log_text()


def test_users_of_the_configuration(start):
    server = start("tandem", launch=False)
    conf = server.folder / "redis.conf"
    conf.write_text(
        "# who is who\nrequirepass other\nuser default on nopass ~* &* +@all -flushdb\n"
        "user u on >foo ~a* (%R~b +get)\nuser idle >foo\nport 1\n")
    server.start()
    with server.connect() as admin:
        assert admin("ACL", "USERS") == ["default", "idle", "u"]
        assert admin.error("FLUSHDB") == no_command("flushdb", "default")
        assert admin("CONFIG", "GET", "requirepass")[1] == "other"  # though it is not asked for
        admin("ACL", "SETUSER", "eve", "on", ">bar")
        admin("ACL", "DELUSER", "idle")
        lines = admin("ACL", "LIST")
        assert admin("CONFIG", "REWRITE") == "OK"
    assert "The user 'idle' is disabled (there is no 'on' modifier" in server.log_text()
    text = conf.read_text()
    assert [line for line in text.splitlines() if line.startswith("user ")] == lines
    assert text.startswith("# who is who\n") and "foo" not in text
    server.stop()
    server.start()
    with server.connect() as admin:
        assert admin("ACL", "LIST") == lines


def test_a_rewrite_leaves_users_to_their_file(start):
    server = with_file(start, "user u on\n")
    (server.folder / "redis.conf").write_text("# here they are not\n")
    server.start()
    with server.connect() as admin:
        admin("CONFIG", "REWRITE")
    text = (server.folder / "redis.conf").read_text()
    assert "\nuser " not in text and "aclfile" in text


def test_channels_of_new_users_by_configuration(start):
    server = start("tandem", "--acl-pubsub-default", "allchannels")
    with server.connect() as admin:
        def channels(*rules):
            admin("ACL", "SETUSER", "u", *rules)
            found = fields(admin("ACL", "GETUSER", "u"))
            return [found["channels"]] + [fields(of)["channels"] for of in found["selectors"]]

        assert channels("(+get)") == ["&*", "&*"]
        assert channels("resetchannels", "(resetchannels &a)") == ["", "&*", "&a"]
        assert channels("reset") == ["&*"]
        admin("CONFIG", "SET", "acl-pubsub-default", "resetchannels")
        assert channels("(+get)") == ["&*", ""]  # what is there stays
        assert channels("reset") == [""]


# Replicas.


@pytest.mark.parametrize("kinds", ["tandem tandem", "redis tandem", "tandem redis"])
def test_a_replica_logs_in_as_a_user(start, kinds):
    """With the rights of a replica and no more; users are not replicated."""
    kind, replica_kind = kinds.split()
    primary, replica = start(kind), start(replica_kind)
    with primary.connect() as admin, replica.connect() as there:
        admin("ACL", "SETUSER", "repl", "on", ">foo", "+psync", "+replconf", "+ping")
        admin("ACL", "SETUSER", "default", "off")
        there("CONFIG", "SET", "masteruser", "repl", "masterauth", "foo")
        replica.follow(primary.port)
        wait_until(replica.link_up, "the link is up")
        admin("SET", "a", "1")
        wait_until(lambda: there("GET", "a") == "1", "it is replicated")
        assert "user=repl " in admin("CLIENT", "LIST", "TYPE", "replica")
        admin("ACL", "SETUSER", "eve", *ALL)
        admin("SET", "a", "2")
        wait_until(lambda: there("GET", "a") == "2", "it is replicated")
        assert there("ACL", "USERS") == ["default"]
        admin("ACL", "DELUSER", "repl")
        wait_until(lambda: not replica.link_up(), "it is cut off")


def test_a_replica_obeys_its_primary_whatever_its_users_may(start):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "the link is up")
    with primary.connect() as admin, replica.connect() as there:
        there("ACL", "SETUSER", "default", "-set", "-eval", "resetkeys", "~b")
        admin("EVAL", "redis.call('set','a','1') redis.call('set','b','1')", 0)
        wait_until(lambda: there("GET", "b") == "1", "it is replicated")
        there("ACL", "SETUSER", "default", "allkeys")
        assert there("GET", "a") == "1"


# A client library.


def test_with_redis_py(server):
    admin = redis.Redis(port=server.port, decode_responses=True)
    assert admin.acl_setuser("u", enabled=True, passwords=["+foo", "+bar"], keys=["a*"],
                             channels=["c"], categories=["+@string"], commands=["-incrby"])
    found = admin.acl_getuser("u")
    assert "on" in found["flags"] and len(found["passwords"]) == 2 and found["enabled"]
    assert admin.acl_users() == ["default", "u"] and admin.acl_whoami() == "default"
    assert "get" in admin.acl_cat("string") and "string" in admin.acl_cat()
    assert len(admin.acl_genpass()) == 64
    limited = redis.Redis(port=server.port, username="u", password="foo", decode_responses=True)
    assert limited.set("a1", "x") and limited.get("a1") == "x"
    for denied in (lambda: limited.incr("a2"), lambda: limited.get("b"), lambda: limited.ping()):
        with pytest.raises(redis.exceptions.NoPermissionError):
            denied()
    entry = admin.acl_log()[0]
    assert entry["reason"] == "command" and entry["object"] == "ping"
    assert entry["client-info"]["user"] == "u" and admin.acl_log_reset()
    with pytest.raises(redis.exceptions.ResponseError, match="WRONGPASS"):
        redis.Redis(port=server.port, username="u", password="wrong").ping()
    assert admin.acl_setuser("u", passwords=["-bar"]) and admin.acl_deluser("u") == 1
    with pytest.raises((redis.exceptions.ConnectionError, redis.exceptions.ResponseError)):
        limited.get("a1")


def crc64(data):
    """As it ends a payload of DUMP."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x95AC9329AC4BC9B5 if value & 1 else 0)
    return value.to_bytes(8, "little")


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_what_users_restore_is_looked_through(start, kind):
    """redis-server is told whom to trust, and takes anything from there; Tandem trusts nobody."""
    assert crc64(b"123456789")[::-1].hex() == "e9c6d914c4b8d9ca"
    server = start(kind, "--sanitize-dump-payload", "clients")
    with server.connect() as client:
        client("RPUSH", "list", "aaaa", "bbbb")
        reply = client.raw("DUMP", "list")
        good = reply[reply.index(b"\n") + 1:-2]
        assert good[-8:] == crc64(good[:-8]) and b"\x84aaaa" in good
        bad = good[:-8].replace(b"\x84aaaa", b"\xbfaaaa")  # as if it were 63 bytes long
        bad += crc64(bad)
        for user, rule in (("careful", "sanitize-payload"), ("trusted", "skip-sanitize-payload")):
            client("ACL", "SETUSER", user, "on", "nopass", "+@all", "~*", rule)
            with server.connect() as restorer:
                restorer("AUTH", user, "x")
                assert restorer("RESTORE", f"by:{user}", 0, good) == "OK"
                assert client("LRANGE", f"by:{user}", 0, -1) == ["aaaa", "bbbb"]
                assert "checksum" in restorer.error("RESTORE", "k", 0, good[:-1] + b"x")
                if user == "careful" or not is_stock(kind):
                    assert restorer.error("RESTORE", "k", 0, bad) == "ERR Bad data format"
        assert client("EXISTS", "k") == 0
