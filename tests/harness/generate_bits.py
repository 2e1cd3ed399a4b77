"""Seeded random commands on bitmaps, HyperLogLogs, geo indexes and common subsequences, good and
bad, with what reads their keys' bytes and encodings back."""
import random

from .wire import to_bytes

FAMILIES = ("bitmap", "field", "hyperloglog", "geo", "subsequence")
# Sparse and dense, with a count and without, without registers, of another kind. None
# that PFADD finds bad halfway: Redis keeps what it has added until then, and tells no replica.
HYPERLOGLOGS = [b"HYLL\x01" + b"\0" * 3 + count + runs for count, runs in (
    (b"\0" * 7 + b"\x80", b"\x7f\xff"), (b"\x05" + b"\0" * 7, b"\x7f\xff"),
    (b"\0" * 8, b""), (b"\0" * 7 + b"\x80", b"\x40\x00" + b"\x84\x88\x80\x80" + b"\x7f\xfa"))]
HYPERLOGLOGS += [b"HYLL\x02" + b"\0" * 11 + b"\x7f\xff", b"HYLL\0" + b"\0" * 11 + b"\0" * 12287,
                 b"HYLL\0" + b"\0" * 11 + b"\x41\x10\x04" * 4096, b"HYLL"]
UNITS = ["m", "km", "KM", "ft", "Mi", "mi"]


class BitsGenerator:
    """An endless source of commands, each a tuple; the same seed gives the same commands."""

    def __init__(self, seed, families=FAMILIES, spoils=True):
        self.random = random.Random(seed)
        self.families = families
        self.spoils = spoils

    def commands(self, count):
        return [self.next() for _ in range(count)]

    def next(self):
        family = self.pick(*self.families)
        words = list(getattr(self, "family_" + family)())
        if self.spoils and self.chance(0.06):
            words = self.spoil(words)
        return tuple(to_bytes(word) for word in words)

    def spoil(self, words):
        """A word lost, doubled, or put in place of another; a key of another family."""
        at = self.random.randrange(1, len(words))
        odd = self.pick("", "-1", "x", "nan", "1e400", "9223372036854775808", "#1", "STORE",
                        "COUNT", *words[1:])
        return self.pick(words[:at] + words[at + 1:] or ["GET"], words[:at] + words[at:at + 1] +
                         words[at:], words[:at] + [odd] + words[at + 1:],
                         [words[0], self.key(self.pick(*FAMILIES, "list"))] + words[2:],
                         words + [odd])

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    def number(self, most):
        """Small ones mostly."""
        return self.random.randrange(1 + self.pick(1, 10, 100, most))

    def some(self, make, most):
        return [word for _ in range(self.random.randrange(most + 1)) for word in make()]

    def key(self, family):
        return f"{family}:{self.random.randrange(4)}"

    def text(self, most):
        kind = self.pick(b"\0", b"\xff", b"\0\xff", bytes(range(256)), b"ab", b"12")
        return bytes(self.pick(*kind) for _ in range(self.random.randrange(most)))

    def place(self):
        """A position in a string, from its start or its end."""
        return self.number(600) * self.pick(1, 1, -1)

    def family_bitmap(self):
        key = self.key("bitmap")
        unit = self.pick([], ["BIT"], ["byte"])
        return self.pick(
            ["SETBIT", key, self.number(900), self.pick(0, 1)],
            ["SETBIT", key, self.pick(-1, 2**32, 2**63, "#0"), self.pick(0, 1, 2)],
            ["GETBIT", key, self.number(900)],
            ["SET", key, self.text(80)],
            ["BITCOUNT", key], ["BITCOUNT", key, self.place(), self.place(), *unit],
            ["BITPOS", key, self.pick(0, 1)], ["BITPOS", key, self.pick(0, 1), self.place()],
            ["BITPOS", key, self.pick(0, 1, 1, 2), self.place(), self.place(), *unit],
            ["BITOP", self.pick("AND", "or", "XOR"), key,
             *[self.key("bitmap") for _ in range(1 + self.number(4))]],
            ["BITOP", "NOT", key, self.key("bitmap")],
            ["OBJECT", "ENCODING", key], ["GET", key],
            ["GETRANGE", key, self.place(), self.place()],
            ["PEXPIRE", key, 10**7], ["PERSIST", key], ["DEL", key], ["LPUSH", "list:0", "a"])

    def field(self):
        kind = self.pick("u", "i")
        bits = self.pick(1, 5, 8, 13, 32, 63, 63 if kind == "u" else 64)
        return [f"{kind}{bits}", self.pick(self.number(300), f"#{self.number(20)}")]

    def field_number(self):
        return self.pick(0, 1, -1, self.number(300), -self.number(300), 2**31, 2**62, 2**63 - 1,
                         -2**63, -2**62)

    def family_field(self):
        def operation():
            return self.pick(["GET", *self.field()], ["SET", *self.field(), self.field_number()],
                             ["INCRBY", *self.field(), self.field_number()],
                             ["OVERFLOW", self.pick("WRAP", "sat", "FAIL")])

        key = self.key("field")
        return self.pick(
            *[["BITFIELD", key, *self.some(operation, 5)]] * 3,
            ["BITFIELD_RO", key, *self.some(lambda: ["GET", *self.field()], 3)],
            ["BITFIELD", key, "GET", self.pick("u64", "u0", "i65", "x8", "i", "u8\0z"), 0],
            ["BITFIELD", key, "GET", "i64", f"#{2**58 + self.number(3)}"],
            ["OBJECT", "ENCODING", key], ["GET", key], ["DEL", key],
            ["SET", key, self.pick("12", self.text(40))])

    def family_hyperloglog(self):
        def elements(most):
            return [self.pick(f"element:{self.number(100000)}", self.text(40))
                    for _ in range(self.random.randrange(most))]

        key, other = self.key("hyperloglog"), self.key("hyperloglog")
        return self.pick(
            ["PFADD", key, *elements(self.pick(3, 20, 400))], ["PFADD", key, *elements(3)],
            ["PFADD", key, *elements(5)], ["PFCOUNT", key], ["PFCOUNT", key],
            ["PFCOUNT", key, other, self.key("hyperloglog")], ["PFMERGE", key],
            ["PFMERGE", key, other], ["PFMERGE", key, other, self.key("hyperloglog")],
            ["GET", key], ["GET", key], ["OBJECT", "ENCODING", key], ["STRLEN", key],
            ["DEL", key] if self.chance(0.3) else ["PTTL", "none"],
            ["SET", key, self.pick(*HYPERLOGLOGS, "12")] if self.chance(0.3) else ["PFCOUNT", key],
            ["CONFIG", "SET", "hll-sparse-max-bytes", self.pick(0, 20, 100, 3000, 3000, 10**6)])

    def longitude(self):
        return self.pick(round(self.random.uniform(-180, 180), 6), round(self.random.uniform(
            12, 16), 5), 180, -180, 0, self.random.randrange(-180, 181))

    def latitude(self):
        return self.pick(round(self.random.uniform(-85, 85), 6), round(self.random.uniform(
            36, 40), 5), "85.05112878", "-85.05112878", 0, self.random.randrange(-85, 86))

    def size(self):
        return self.pick(0, self.number(1000), round(self.random.uniform(0, 9000), 3), 10**7,
                         "inf") if self.chance(0.3) else self.number(4000)

    def member(self):
        return self.pick(f"member:{self.number(60)}", self.number(40))

    def from_place(self):
        if self.chance(0.4):
            return ["FROMMEMBER", self.member()]
        return ["FROMLONLAT", self.longitude(), self.latitude()]

    def shape(self):
        if self.chance(0.5):
            return ["BYRADIUS", self.size(), self.pick(*UNITS)]
        return ["BYBOX", self.size(), self.size(), self.pick(*UNITS)]

    def search_options(self, *more):
        options = [[word] for word in ("ASC", "DESC", *more) if self.chance(0.25)]
        if self.chance(0.4):
            options.append(["COUNT", self.pick(1, 2, 5, 40, 0)])
            options.extend([["ANY"]] if self.chance(0.3) else [])
        self.random.shuffle(options)
        return [word for option in options for word in option]

    def family_geo(self):
        key, other = self.key("geo"), self.key("geo")
        shown = "WITHDIST", "WITHHASH", "WITHCOORD"
        where = [self.from_place(), self.shape()]
        self.random.shuffle(where)
        around = [self.longitude(), self.latitude()]
        circle = [self.size(), self.pick(*UNITS)]
        target = self.pick([], ["STORE", other], ["STOREDIST", other])
        read_only = self.pick("GEORADIUS_RO", "GEORADIUSBYMEMBER_RO")
        center = around if read_only == "GEORADIUS_RO" else [self.member()]
        return self.pick(
            *[["GEOADD", key, *self.pick([], [], ["NX"], ["xx"], ["CH"], ["NX", "CH"]), *[
                word for _ in range(1 + self.number(8)) for word in (
                    self.longitude(), self.latitude(), self.member())]]] * 4,
            ["GEODIST", key, self.member(), self.member(), *self.pick([], UNITS[1:2], ["ft"])],
            ["GEOHASH", key, self.member(), self.member()],
            ["GEOPOS", key, self.member(), self.member()],
            ["GEORADIUS", key, *around, *circle, *self.search_options(*shown)],
            ["GEORADIUS", key, *around, *circle, *self.search_options(), *target],
            ["GEORADIUSBYMEMBER", key, self.member(), *circle, *self.search_options(), *target],
            [read_only, key, *center, *circle, *self.search_options(*shown)],
            *[["GEOSEARCH", key, *where[0], *where[1], *self.search_options(*shown)]] * 3,
            *[["GEOSEARCHSTORE", key, other, *where[0], *where[1],
               *self.search_options("STOREDIST")]] * 2,
            ["ZRANGE", key, 0, -1], ["ZREM", key, self.member()], ["DEL", self.key("geo")],
            ["ZADD", key, self.pick(1, -5, "inf", "-inf", 2**52 - 1, 2**53, 0.5), self.member()])

    def family_subsequence(self):
        key, other = self.key("subsequence"), self.key("subsequence")
        letters = self.pick(b"ab", b"abcdefgh", bytes(range(256)))
        text = bytes(self.pick(*letters) for _ in range(self.random.randrange(self.pick(5, 150))))
        options = [["IDX"], ["LEN"], ["WITHMATCHLEN"], ["MINMATCHLEN", self.pick(0, 1, 2, 5, -1)]]
        options = [option for option in options if self.chance(0.4)]
        self.random.shuffle(options)
        words = [word for option in options for word in option]
        return self.pick(["SET", key, text], ["DEL", key] if self.chance(0.3) else ["GET", key],
                         *[["LCS", key, other, *words]] * 4)
