"""Seeded random commands: all that write and those that read it back, with odd arguments.

A Generator with exact=True avoids what no two servers answer alike (SPOP's choice, XADD's clock);
its commands can be compared reply by reply. With exact=False they make loads whose outcome is
compared by digest.
"""
import hashlib
import random

from .wire import to_bytes

FAMILIES = ("string", "list", "set", "hash", "sorted", "stream", "key", "script")
SCRIPTS = [
    ("return redis.call('set', KEYS[1], ARGV[1])", 1),
    ("redis.call('rpush', KEYS[1], ARGV[1], ARGV[2]) return redis.call('llen', KEYS[1])", 1),
    ("return {1, 'two', {ok='three'}, false, 4.9, redis.call('get', KEYS[1])}", 1),
    ("return redis.pcall('incrby', KEYS[1], ARGV[1])", 1),
    ("local n = redis.call('incr', KEYS[1]) if n % 2 == 0 then redis.call('del', KEYS[2]) end "
     "return n",
     2),
    ("return redis.error_reply('MINE ' .. ARGV[1])", 0),
    ("redis.call('hset', KEYS[1], ARGV[1], ARGV[2]) redis.call('sadd', KEYS[2], ARGV[1])", 2),
]
# A random argument would make these wait for ever, choose at random, or mean more since 7.2.
UNSPOILED = {"EVAL", "EVALSHA", "FLUSHALL", "SPOP", "BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH",
             "BZPOPMIN", "BZPOPMAX", "ZRANK", "ZREVRANK", "SCAN", "SSCAN", "HSCAN", "ZSCAN"}

# DUMP of redis-server 7.0: text, number, list, set of numbers, set, hash, sorted set; the last is
# torn.
DUMPS = [bytes.fromhex(text) for text in (
    "000568656c6c6f0a006372df766534200a", "00c02a0a0081fb5cfa86634f50",
    "1201020f0f00000003008161028162020101ff0a00e01bab4a47ce5922",
    "0b0e02000000030000000100020003000a00a5025ce26d6e4d1b",
    "0202017901780a000cdf6b3db330bcf0",
    "100d0d0000000200816602817602ff0a0020f13d442354089d",
    "110f0f0000000200816d0283312e3504ff0a0049d9876078254e8a", "000568656c6c6f0a006372df766534200b")]


class Generator:
    """An endless source of commands, each a tuple; the same seed gives the same commands."""

    def __init__(self, seed, exact=True, databases=4, families=FAMILIES, flush=True):
        self.random = random.Random(seed)
        self.exact = exact
        self.databases = databases
        self.families = families
        self.flush = flush
        self.in_transaction = False

    def commands(self, count):
        """`count` commands; a transaction that is still open at the end is executed."""
        made = [self.next() for _ in range(count)]
        if self.in_transaction:
            self.in_transaction = False
            made.append(("EXEC",))
        return made

    def next(self):
        chance = self.random.random()
        if self.in_transaction and chance < 0.2:
            self.in_transaction = False
            return ("DISCARD",) if chance < 0.03 else ("EXEC",)
        if not self.in_transaction:
            if chance < 0.02:
                self.in_transaction = True
                return ("MULTI",)
            if chance < 0.04:
                return ("SELECT", self.random.randrange(self.databases))
            if chance < 0.045:
                return ("WATCH", self.key("string"))
            if chance < 0.047 and self.flush:
                return self.random.choice([("FLUSHDB",), ("SWAPDB", 0, 1), ("FLUSHALL", "ASYNC")])
            if chance < 0.05:
                return self.random.choice([
                    ("UNWATCH",), ("DBSIZE",), ("SELECT", -1), ("EXEC",), ("DISCARD",),
                    ("SWAPDB", 0, 99), ("SELECT", 2**31), ("PING", "a", "b")])
        command = getattr(self, "family_" + self.pick(*self.families))()
        if chance > 0.985:
            command = self.spoil(command)
        return tuple(to_bytes(word) for word in command)

    def spoil(self, command):
        """An argument lost, doubled or put in place of another: the error must be the same."""
        words = list(command)
        at = self.random.randrange(len(words))
        if words[0] in UNSPOILED or "lexical:" in str(words[1:2]):
            return command
        return self.pick(words[:at] or ["GET"], words + [words[at]], [*words[:at + 1],
                                                                      self.value()])

    def pick(self, *choices):
        return self.random.choice(choices)

    def some(self, make, most=4):
        return [make() for _ in range(self.random.randint(1, most))]

    def maybe(self, *words, chance=0.5):
        return list(words) if self.random.random() < chance else []

    def key(self, family=None):
        """A key of this family; now and then one of another type."""
        if family is None or self.random.random() < 0.04:
            family = self.pick("string", "list", "set", "hash", "sorted", "stream")
        return f"{family}:{self.random.randrange(12)}"

    def value(self):
        return self.pick(
            self.integer(), self.word(), self.word(), self.number(), "", " ", "a" * 44, "a" * 45,
            b"\x00", b"a\x00b", b"\xff\xfe",
            "a" * 64,
            "z" * 300, bytes(range(256)), b"\r\n$-1\r\n", "\u00e4\u20ac", "0", "-0", "007", "3.0",
            " 1")

    def word(self):
        return self.pick("a", "b", "c", "alpha", "beta", "gamma", f"w{self.random.randrange(40)}")

    def integer(self):
        return self.pick(
            0, 1, -1, 7, 100, 127, 128, -129, 32768, 2**31, -2**31 - 1, 2**63 - 1, -2**63, 2**63,
            self.random.randrange(-1000, 1000))

    def number(self):
        return self.pick(
            "0", "1.5", "-2.25", "3.0e2", "1e-7", "0.1", "1e17", "123456789.123", "-0", "inf",
            "-inf",
            "nan", "+5", "1e400", "0x10", "abc", "", " 1", "1 ", "-0.0", ".5", "5.", "4.9e-324",
            "1e-400", "0.1234567890123456789", str(self.random.randrange(1000) / 8))

    def score(self):
        """A number that 7.0 and 7.2 print alike: DEBUG DIGEST takes a score as its text. What they
        print otherwise, as 0.1, is in data/replies.txt."""
        return self.pick(
            "0", "1.5", "-2.25", "3.0e2", "-0", "inf", "-inf", "nan", "+5", "1e400", "0x10", "abc",
            "", " 1", "1 ", "-0.0", ".5", "5.", "1e-400", str(self.random.randrange(1000) / 8))

    def index(self):
        return self.random.choice([0, 1, 2, 5, -1, -2, -100, 100, 2**40])

    def case(self, word):
        """Commands and options are known in any case."""
        return self.pick(word, word, word.lower(), word.capitalize())

    # strings

    def family_string(self):
        key = self.key("string")
        return self.pick(
            self._set, lambda: self._string_write(key), lambda: self._string_read(key),
            lambda: self._count(key))()

    def _set(self):
        words = [self.case("SET"), self.key("string"), self.value()]
        words += self.maybe(self.pick("NX", "XX", "xx"), chance=0.3)
        words += self.maybe("GET", chance=0.2)
        words += self.maybe("KEEPTTL", chance=0.1)
        words += self.maybe(*self.expiry_option(), chance=0.2)
        words += self.maybe(self.pick("NX", "get", "PERSIST", "keepttl", "EX", ""), chance=0.05)
        return words

    def expiry_option(self):
        return self.pick(
            ("EX", self.pick(1000, 1000000, 0, -1, "a")), ("PX", self.pick(1000000, 0, 2**62)),
            ("EXAT", self.pick(4000000000, 1, 0)), ("PXAT", self.pick(4000000000000, 1)))

    def _string_write(self, key):
        return self.pick(
            ("SETNX", key, self.value()), ("SETEX", key, self.pick(1000, 0, -5), self.value()),
            ("PSETEX", key, self.pick(1000000, 0, "x"), self.value()), ("GETSET", key,
                                                                        self.value()),
            ("GETDEL", key), ("GETEX", key, *self.maybe(*self.pick(self.expiry_option(),
                                                                   ("PERSIST",))),
                              *self.maybe(self.pick("PERSIST", "KEEPTTL", "PX", "NX"),
                                          chance=0.1)),
            ("MSET", *[word for _ in range(3) for word in (self.key("string"), self.value())]),
            ("MSETNX", self.key("string"), self.value(), self.key("string"), self.value()),
            ("APPEND", key, self.value()),
            ("SETRANGE", key, self.pick(0, 1, 5, 70, -1, 2**29), self.pick("", "abc",
                                                                           self.value())))

    def _string_read(self, key):
        return self.pick(
            ("GET", key), ("MGET", *self.some(lambda: self.key("string"))), ("STRLEN", key),
            ("GETRANGE", key, self.index(), self.index()),
            ("SUBSTR", key, self.index(), self.index()))

    def _count(self, key):
        return self.pick(
            ("INCR", key), ("DECR", key), ("INCRBY", key, self.integer()),
            ("DECRBY", key, self.integer()), ("INCRBYFLOAT", key, self.number()))

    # keys

    def family_key(self):
        key = self.key()
        return self.pick(self._expire, lambda: self._key_move(key), lambda: self._key_read(key))()

    def _expire(self):
        name, when = self.pick(
            ("EXPIRE", (1000, 5000, -1, 0, 2**60, "x")), ("PEXPIRE", (1000000, -1, 2**62)),
            ("EXPIREAT", (4000000000, 4100000000, 1, -1)), ("PEXPIREAT", (4000000000000, 1)))
        # Two relative times are compared by the millisecond in which each came: no GT and LT then.
        order = ("GT", "LT") if name.endswith("AT") else ()
        flags = self.maybe(self.pick("NX", "XX", "nx", "ZZ", *order), chance=0.4)
        return (self.case(name), self.key(), self.pick(*when), *flags)

    def _key_move(self, key):
        return self.pick(
            ("DEL", *self.some(self.key)), ("UNLINK", *self.some(self.key)), ("PERSIST", key),
            ("RENAME", key, self.key()), ("RENAMENX", key, self.key()),
            ("COPY", key, self.key(), *self.maybe("DB", self.random.randrange(self.databases)),
             *self.maybe("REPLACE")),
            ("MOVE", key, self.pick(*range(self.databases), 99, "x")),
            ("RESTORE", key, self.pick(0, 0, 1000000, -1), self.pick(*DUMPS),
             *self.maybe("REPLACE", chance=0.7), *self.maybe("FREQ", 300, chance=0.05)))

    def _key_read(self, key):
        return self.pick(
            ("EXISTS", *self.some(self.key)), ("TYPE", key), ("TTL", key), ("PTTL", key),
            ("EXPIRETIME", key), ("PEXPIRETIME", key), ("TOUCH", *self.some(self.key)),
            ("OBJECT", "ENCODING", key), ("KEYS", self.pattern()),
            ("SCAN", self.pick(0, "0", "00", "", "x", "-0"), "COUNT", self.pick(100000, 1000, 0),
             *self.maybe("MATCH", self.pattern()),
             *self.maybe("TYPE", self.pick("string", "LIST", "zset", "nosuch"))))

    def pattern(self):
        """Of keys, and odd: brackets that do not close, ranges the wrong way round."""
        return self.pick(
            "*", "str*:1", "[ls]*", "hash:?", "x", "", "**", "?*", "*?", "[^l]*", "[a-z]*:[0-4]",
            "[z-a]*", "set:[", "set:[1", "*[]*", "se\\t:*", "set:\\", "*:[\\1-3]", "[!s]*", "*[^]*",
            "[a-]*", "*1*", "s*e*t*:*1", "[[]*", "STRING*")

    def scan(self, name, key):
        return (name, key, self.pick(0, 0, "00", "x"), "COUNT", self.pick(100000, 100000, 0, "x"),
                *self.maybe("MATCH", self.pick(self.pattern(), "a*", "w[0-3]*"), chance=0.3),
                *self.maybe(self.pick("NOPE", "TYPE"), chance=0.05))

    # collections

    def _lpos(self, key):
        return ("LPOS", key, self.value(),
                *self.maybe("RANK", self.pick(1, 2, -1, -2, 0, "x", 2**63 - 1), chance=0.4),
                *self.maybe("COUNT", self.pick(0, 1, 2, -1, "x"), chance=0.4),
                *self.maybe("MAXLEN", self.pick(0, 1, 3, 1000, -1, "x"), chance=0.3))

    def family_list(self):
        key = self.key("list")
        count = self.maybe(self.pick(0, 1, 2, 100, -1, "x"))
        return self.pick(
            ("LPUSH", key, *self.some(self.value)), ("RPUSH", key, *self.some(self.value)),
            ("RPUSH", key, *self.some(self.value, 150)), ("LPOP", key, *count), ("RPOP", key,
                                                                                 *count),
            ("LLEN", key), ("LRANGE", key, self.index(), self.index()),
            ("LINDEX", key, self.index()), ("LSET", key, self.index(), self.value()),
            self._lpos(key),
            ("LREM", key, self.pick(0, 1, -1, 2, "x"), self.value()),
            ("LINSERT", key, self.pick("BEFORE", "after", "x"), self.value(), self.value()),
            ("LTRIM", key, self.pick(0, 0, 1, -100), self.pick(-1, -1, 100, -2)),
            (self.pick("LPUSHX", "RPUSHX"), key, *self.some(self.value)),
            ("LMOVE", key, self.key("list"), self.pick("LEFT", "x", "right"), self.pick("LEFT",
                                                                                      "RIGHT")),
            ("RPOPLPUSH", key, self.key("list")),
            ("BLPOP", key, self.key("list"), "0.01"), ("BRPOP", key, "0.01"),
            ("BRPOPLPUSH", key, self.key("list"), "0.01"),
            ("BLMOVE", key, self.key("list"), self.pick("LEFT", "right"), self.pick("LEFT",
                                                                                    "RIGHT"),
             "0.01"))

    def member(self):
        return self.pick(self.word(), self.integer(), self.integer(), self.value())

    def _set_pop(self, key):
        if self.exact:
            return ("SPOP", key, self.pick(0, 100000, -1, "x"))
        return ("SPOP", key, *self.maybe(self.pick(0, 1, 2, 3, 100000)))

    def family_set(self):
        key = self.key("set")
        return self.pick(
            ("SADD", key, *self.some(self.member)), ("SADD", key, *self.some(self.integer, 40)),
            ("SADD", key, *self.some(self.value, 160)), ("SREM", key, *self.some(self.member)),
            ("SMEMBERS", key), ("SCARD", key), ("SISMEMBER", key, self.member()),
            self._set_pop(key),
            self.scan("SSCAN", key), ("SMISMEMBER", key, *self.some(self.member)),
            ("SMOVE", key, self.key("set"), self.member()),
            (self.pick("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"), self.key("set"),
             *self.some(lambda: self.key("set"), 3)),
            (self.pick("SINTER", "SUNION", "SDIFF"), *self.some(lambda: self.key("set"), 3)),
            ("SINTERCARD", self.pick(1, 2, 2, 0, "x"), key, self.key("set"),
             *self.maybe("LIMIT", self.pick(0, 1, 3, -1, "x"))))

    def family_hash(self):
        key = self.key("hash")
        return self.pick(
            ("HSET", key, *[word for _ in range(2) for word in (self.word(), self.value())]),
            ("HSET", key, *[word for _ in range(90) for word in (self.value(), self.value())]),
            ("HSET", key, "odd"), ("HGET", key, self.word()), ("HDEL", key, *self.some(self.word)),
            ("HGETALL", key), ("HLEN", key), ("HINCRBYFLOAT", key, self.word(), self.number()),
            ("HINCRBY", key, self.word(), self.integer()), self.scan("HSCAN", key),
            ("HSETNX", key, self.word(), self.value()), ("HEXISTS", key, self.word()),
            ("HMGET", key, *self.some(self.word)), ("HSTRLEN", key, self.word()),
            ("HMSET", key, *[word for _ in range(2) for word in (self.word(), self.value())]),
            (self.pick("HKEYS", "HVALS"), key))

    def family_sorted(self):
        key = self.key("sorted")
        flags = [*self.maybe(self.pick("NX", "XX"), chance=0.2), *self.maybe("GT", chance=0.1),
                 *self.maybe("LT", chance=0.1), *self.maybe("CH", chance=0.3)]
        pairs = [word for _ in range(self.random.randint(1, 3)) for word in (self.score(),
                                                                             self.word())]
        many = [word for _ in range(140) for word in (self.random.randrange(50), self.value())]
        return self.pick(
            ("ZADD", key, *flags, *pairs), ("ZADD", key, *flags, *pairs), ("ZADD", key, *many),
            ("ZADD", key, *flags, "INCR", self.score(), self.word()),
            ("ZREM", key, *self.some(self.word)), ("ZCARD", key), ("ZSCORE", key, self.word()),
            ("ZRANK", key, self.word()), ("ZPOPMIN", key, *self.maybe(self.pick(0, 1, 3, -1))),
            (self.pick("BZPOPMIN", "BZPOPMAX"), key, self.key("sorted"), "0.01"),
            self._zrange(key), self._zrange(key),
            self._sorted_more(key), self.scan("ZSCAN", key))

    def _sorted_more(self, key):
        score = self.pick("-inf", "+inf", "(1.5", "0", "100", "(0", "x", " 1", "1e400", "(")
        return self.pick(
            ("ZCOUNT", key, score, self.pick("+inf", "10", "(3")), ("ZINCRBY", key, self.score(),
                                                                  self.word()),
            ("ZMSCORE", key, *self.some(self.word)), ("ZREVRANK", key, self.word()),
            ("ZPOPMAX", key, *self.maybe(self.pick(0, 1, 3, -1))),
            ("ZREMRANGEBYSCORE", key, score, self.pick("3", "(3", "-inf")),
            ("ZREMRANGEBYRANK", key, self.pick(0, 1, -1), self.pick(0, 2, -2)),
            ("ZRANGEBYSCORE", key, score, "+inf", *self.maybe("WITHSCORES"),
             *self.maybe("LIMIT", self.pick(0, 1, -1), self.pick(2, -1, 0))),
            ("ZREVRANGE", key, self.index(), self.index(), *self.maybe("WITHSCORES")),
            ("ZRANGESTORE", self.key("sorted"), key, self.pick(0, 1, -3), self.pick(-1, 5),
             *self.maybe("REV")))

    def _zrange(self, key):
        score = lambda: self.pick("-inf", "+inf", "(1.5", "0", "100", "(0", "x")  # noqa: E731
        # Redis leaves open what BYLEX gives when scores differ, so it is asked of keys of one
        # score.
        same = f"lexical:{self.random.randrange(3)}"
        lexical = lambda: self.pick("-", "+", "[a", "(b", "[w2", "x", "")  # noqa: E731
        limit = self.maybe("LIMIT", self.pick(0, 1, -1), self.pick(2, -1, 0), chance=0.4)
        scores = self.maybe("WITHSCORES")
        if self.pick(True, False):
            return self.pick(
                ("ZADD", same, *[word for _ in range(8) for word in ("0", self.value())]),
                ("ZRANGE", same, lexical(), lexical(), "BYLEX", *limit),
                ("ZRANGE", same, lexical(), lexical(), "BYLEX", "REV", *limit), ("ZREM", same, "a"),
                ("ZREMRANGEBYLEX", same, self.pick("[a", "(b", "x"), self.pick("[b", "(w2", "-")))
        words = self.pick(
            (self.index(), self.index(), *self.maybe(*limit, chance=0.1)),
            (self.index(), self.index(), "REV"),
            (score(), score(), "BYSCORE", *limit), (score(), score(), "BYSCORE", "REV", *limit))
        return ("ZRANGE", key, *words, *scores)

    # streams and scripts

    def family_stream(self):
        key = self.key("stream")
        trim = self.maybe(*self.pick(("MAXLEN", 20), ("MAXLEN", "=", 3), ("MINID", "5"),
                                     ("MAXLEN", "~", 100000), ("MAXLEN", -1), ("LIMIT", 0),
                                     ("MAXLEN", "~", 2, "LIMIT", 0), ("MINID", "~", "7-"),
                                     ("MAXLEN", 3, "LIMIT", 2)), chance=0.3)
        identity = self.pick("1-1", "5-*", "9-3", f"{self.random.randrange(60)}-*", "0-0", "x", "7",
                             "+70-1", " 71", "072-03", "", "73-", "74--1")
        if not self.exact:
            identity = self.pick(identity, "*", "*")
        fields = [word for _ in range(self.random.randint(1, 3)) for word in (self.word(),
                                                                              self.value())]
        return self.pick(
            ("XADD", key, *self.maybe("NOMKSTREAM", chance=0.1), *trim, identity, *fields),
            ("XADD", key, *trim, identity, *fields), ("XADD", key, identity, "odd"), ("XLEN", key),
            ("XDEL", key, self.pick("1-1", "9-3", "7-0"), "5-0"),
            ("XTRIM", key, *(trim or ("MAXLEN", 5))),
            (self.pick("XRANGE", "XREVRANGE"), key, self.pick("-", "5", "(5-0", "x"),
             self.pick("+", "30", "-"),
             *self.maybe("COUNT", self.pick(1, 5, 0, -1))),
            ("XREAD", "COUNT", 3, "STREAMS", key, self.key("stream"), "0", self.pick("0-0", "$",
                                                                                     "8")))

    def family_script(self):
        text, keys = self.random.choice(SCRIPTS)
        names = [self.key("string") for _ in range(keys)]
        if "rpush" in text:
            names = [self.key("list")]
        if "hset" in text:
            names = [self.key("hash"), self.key("set")]
        if self.pick(True, False, False) and not self.exact:
            return ("PUBLISH", self.word(), self.value())
        # By its digest once it is known, or while it is not.
        script = self.pick(("EVAL", text), ("EVAL", text),
                           ("EVALSHA", hashlib.sha1(text.encode()).hexdigest()))
        return (*script, keys, *names, self.word(), self.pick("1", "2", "x"))
