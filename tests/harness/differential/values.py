"""Values of arguments: plausible by their kind, with edges, odd texts and wrong kinds."""
from . import scripts

EDGES = (0, 1, -1, 7, 100, 127, 128, -129, 32768, 65535, 2**31 - 1, 2**31, -2**31 - 1, 2**32,
         2**53, 2**63 - 1, -2**63, 2**63, -2**63 - 1, 10**20)
NUMBERS = ("0", "1.5", "-2.25", "3.0e2", "-0", "inf", "-inf", "nan", "+5", "1e400", "0x10", "abc",
           "", " 1", "1 ", "-0.0", ".5", "5.", "1e-7", "1e17", "123456789.125", "0.1", "4.9e-324",
           "0.1234567890123456789")
# A sorted set in a listpack forgets the sign of zero: there is none.
SCORES = ("1.5", "-2.25", "3.0e2", "inf", "-inf", "nan", "+5", "1e400", "0x10", "abc", "", " 1",
          "1 ", ".5", "5.")
LONG_SCORES = ("1e-7", "1e17", "0.1")  # every version of Redis writes them in its own way
TEXTS = ("", " ", "a" * 44, "a" * 45, b"\x00", b"a\x00b", b"\xff\xfe", "a" * 64, "z" * 300,
         bytes(range(256)), b"\r\n$-1\r\n", "\u00e4\u20ac", "0", "-0", "007", "3.0", " 1", "1e3")
WORDS = ("a", "b", "c", "alpha", "beta", "gamma", *(f"w{number}" for number in range(20)))
PATTERNS = ("*", "str*:1", "[ls]*", "hash:?", "x", "", "**", "?*", "*?", "[^l]*", "[a-z]*:[0-4]",
            "[z-a]*", "set:[", "set:[1", "*[]*", "se\\t:*", "set:\\", "*:[\\1-3]", "[!s]*",
            "*[^]*", "[a-]*", "*1*", "s*e*t*:*1", "[[]*", "STRING*", "a*", "w[0-3]*", "ch*")
SCORE_BOUNDS = ("-inf", "+inf", "(1.5", "0", "100", "(0", "(-inf", "50", "1e400", "x", "(")
LEXICAL_BOUNDS = ("-", "+", "[a", "(b", "[w2", "(w", "[", "x", "")
INDEXES = (0, 0, 1, 2, 5, -1, -1, -2, -100, 100, 2**40)
WAITS, LONG_WAITS = (.001, .01, "0.005", -1, "x", "1e300"), (100,)  # seconds
LIFETIMES = (0, -1, "x", 2**62, 2**63 - 1, -2**63)

# The families of keys; a key's name begins with its family's.
ANY_FAMILY = ("string", "list", "set", "hash", "sorted", "geo", "stream", "hyperloglog")
# Redis leaves open what ranges by name give where scores differ: such commands get keys of their
# own, in which every score is the same.
LEXICAL = "lexical"
KEYS_OF_A_FAMILY = 5


class Values:
    """The values of one sequence of commands. `counter` grows, as the ids of a stream do."""

    def __init__(self, random, families=ANY_FAMILY, suffix="", scores=SCORES):
        self.random = random
        self.suffix = suffix  # of every key
        self.scores = scores
        self.families = families  # of keys
        self.waits = WAITS
        self.favourite = None  # a key that is used most of the time
        self.counter = 1

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    def integer(self):
        return self.random.randrange(-20, 200) if self.chance(.6) else self.pick(*EDGES)

    def double(self):
        return self.random.randrange(-800, 8000) / 8 if self.chance(.6) else self.pick(*NUMBERS)

    def text(self):
        return self.pick(self.integer(), self.pick(*TEXTS), self.pick(*WORDS), self.pick(*WORDS))

    def word(self):
        """A member or a field: few, so that they are met again."""
        return self.pick(*WORDS) if self.chance(.6) else self.text()

    def key(self, family):
        if self.favourite and self.chance(.6):
            return self.favourite
        return f"{family}:{self.random.randrange(KEYS_OF_A_FAMILY)}{self.suffix}"

    def any_key(self):
        return self.key(self.pick(*self.families))

    def score(self, family):
        if family == LEXICAL:
            return 0
        return self.random.randrange(200) / 8 if self.chance(.9) else self.pick(*self.scores)

    def bound(self, tokens, family):
        """Of ZRANGE and its kin: what it is depends on what the range is by."""
        if family == LEXICAL:
            return self.pick(*LEXICAL_BOUNDS)
        return self.pick(*(SCORE_BOUNDS if "BYSCORE" in tokens else INDEXES))

    def lifetime(self, unit):
        """Longer than the test, and no two alike, for GT and LT compare them; in units a second."""
        if self.chance(.15):
            return self.pick(*LIFETIMES)
        return self.random.randrange(1000, 1000000) * unit

    def wait_milliseconds(self):
        seconds = self.pick(*self.waits)
        return seconds if isinstance(seconds, str) else int(seconds * 1000)

    def moment(self, unit):
        """In the year 2100, or gone by."""
        if self.chance(.15):
            return self.pick(1, 0, -1, "x")
        return (4102444800 + self.random.randrange(1000000)) * unit

    def identity(self):
        """Of a stream's entry that is probably there, or odd."""
        if self.chance(.8):
            return f"{max(0, self.counter - self.random.randrange(25))}-{self.random.randrange(3)}"
        return self.pick("-", "+", "0", "0-0", "$", "(5-0", "x", "7", "7-", "+70-1", " 71", "",
                         f"{2**64 - 1}-{2**64 - 1}", "-1")

    def new_identity(self):
        """One that XADD takes, most of the time."""
        self.counter += 1
        return self.pick(f"{self.counter}-*", f"{self.counter}-0", f"{self.counter}-1",
                         f"{self.counter}-2", self.identity())

    def digest(self):
        return scripts.digest(self.pick(*scripts.SCRIPTS))
