"""Seeded random scripts for what Tandem has written itself: cmsgpack, struct, patterns."""
import random

# Joins whatever a function gives into one text; tables in the order of their keys.
JOIN = """
local function show(v)
  if type(v) == 'number' then return string.format('%.17g', v) end
  if type(v) ~= 'table' then return type(v) .. ':' .. tostring(v) end
  local o = {}
  for k, x in pairs(v) do o[#o + 1] = show(k) .. '=' .. show(x) end
  table.sort(o)
  return '{' .. table.concat(o, ',') .. '}'
end
local function all(...)
  local o = {}
  for i = 1, select('#', ...) do o[i] = show((select(i, ...))) end
  return table.concat(o, '|')
end
"""
FORMAT_OPTIONS = "bBhHlLTiIfdscx<>! ij0159c=q"
PATTERN_ITEMS = ["a", "b", ".", "%a", "%d", "%s", "%w", "%A", "%S", "[ab]", "[^a]", "[a-c]",
                 "[%a_]", "[^%s]", "[]]", "[^]]", "[a-]", "[%-a]", "%.", "%%", "x", "1", " ", "%p",
                 "%x", "%u", "%l", "%c", "%z", "(", "(", ")", ")", "()", "%1", "%2", "%b()",
                 "%f[%a]", "$", "^", "[", "%", "%b", "%0", "%f"]
ORDINARY_ITEMS = 29
SUBJECT = "aab bc1.(x)A_%-]^\n\t"
REPLACEMENTS = ["x", "%0", "%1", "<%1%2>", "%", "%%", "", "%a", "[%0]"]


class ScriptGenerator:
    """`command()` gives one EVAL as a list of words."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def command(self):
        return self.random.choice([self.pack, self.unpack, self.struct_pack, self.struct_unpack,
                                   self.struct_size, self.find, self.replace])()

    def number(self):
        pick = self.random
        return pick.choice([
            lambda: str(pick.randint(-200, 300)), lambda: str(pick.randint(-70000, 70000)),
            lambda: str(pick.randint(-2**40, 2**40)), lambda: repr(pick.uniform(-1e6, 1e6)),
            lambda: repr(pick.uniform(-1, 1) * 10.0**pick.randint(-300, 300)),
            lambda: f"{pick.choice(['', '-'])}2^{pick.randint(0, 70)}",
            lambda: f"(2^{pick.randint(0, 53)}-1)", lambda: f"{pick.randint(-100, 100)}.5",
            lambda: "0/0", lambda: "1/0"])()

    def text(self):
        size = self.random.choice([0, 1, 5, 31, 32, 255, 256, 300])
        letters = (self.random.choice("abcdefgh\\0") for _ in range(size))
        return "'" + "".join("\\0" if c in "\\0" else c for c in letters) + "'"

    def value(self, depth=0):
        pick = self.random
        kind = pick.random()
        if kind < .35 or depth > 18:
            return self.number()
        if kind < .55:
            return self.text()
        if kind < .65:
            return pick.choice(["true", "false", "nil"])
        if kind < .82:
            count = pick.choice([0, 1, 2, 3, 17]) if depth < 3 else 1
            return "{" + ",".join(self.value(depth + 1) for _ in range(count)) + "}"
        # Long keys stand in an order of their own in Redis's Lua.
        keys = (pick.choice([f"'k{pick.randint(0, 999)}'", str(pick.randint(-3, 9)), "true", "0.5"])
                for _ in range(pick.randint(0, 3)))
        return "{" + ",".join(f"[{key}]={self.value(depth + 1)}" for key in keys) + "}"

    def bytes(self):
        pick = self.random
        return bytes(pick.choice([pick.randrange(256), pick.randrange(0x80, 0xa4),
                                  pick.randrange(0xc0, 0xe0), pick.randrange(4)])
                     for _ in range(pick.randint(0, 40)))

    def format(self):
        pick = self.random
        options = []
        for _ in range(pick.randint(1, 8)):
            digits = str(pick.choice([0, 1, 2, 3, 4, 8, 16, 33])) if pick.random() < .15 else ""
            options.append(pick.choice(FORMAT_OPTIONS) + digits)
        return "".join(options)

    def pattern(self):
        pick = self.random
        items = []
        for _ in range(pick.randint(0, 6)):
            known = PATTERN_ITEMS if pick.random() < .35 else PATTERN_ITEMS[:ORDINARY_ITEMS]
            items.append(pick.choice(known) + pick.choice(["*", "+", "-", "?", "", "", "", ""]))
        return pick.choice(["", "", "^"]) + "".join(items) + pick.choice(["", "", "$"])

    def pack(self):
        values = ",".join(self.value() for _ in range(self.random.randint(1, 3)))
        return ["EVAL", f"return cmsgpack.pack({values})", 0]

    def unpack(self):
        pick = self.random
        call = pick.choice(["unpack(ARGV[1])", f"unpack_one(ARGV[1],{pick.randint(-1, 10)})",
                            f"unpack_limit(ARGV[1],{pick.randint(-1, 5)},{pick.randint(-1, 10)})"])
        return ["EVAL", f"{JOIN} return all(cmsgpack.{call})", 0, self.bytes()]

    def struct_pack(self):
        values = "".join("," + (self.number() if self.random.random() < .7 else self.text())
                         for _ in range(self.random.randint(0, 8)))
        return ["EVAL", f"return struct.pack(ARGV[1]{values})", 0, self.format()]

    def struct_unpack(self):
        place = self.random.choice([1, 1, 1, 2, 3, 9, 0, -1])
        return ["EVAL", f"{JOIN} return all(struct.unpack(ARGV[1],ARGV[2],{place}))", 0,
                self.format(), self.bytes()]

    def struct_size(self):
        return ["EVAL", "return struct.size(ARGV[1])", 0, self.format()]

    def subject(self):
        return "".join(self.random.choice(SUBJECT) for _ in range(self.random.randint(0, 14)))

    def find(self):
        call = self.random.choice([
            f"all(ARGV[1]:find(ARGV[2],{self.random.choice([1, 2, -2, 0, 5, 99, -99])}))",
            "all(ARGV[1]:match(ARGV[2]))", "all(ARGV[1]:gmatch(ARGV[2])())"])
        return ["EVAL", f"{JOIN} return {call}", 0, self.subject(), self.pattern()]

    def replace(self):
        pick = self.random
        most = pick.choice(["", "", ",1", ",0", ",-1", ",2"])
        by = pick.choice(["ARGV[3]", "function(...) return all(...) end", "{a='A',b=2,c=false}",
                          "function() return nil end", "function() return {} end"])
        return ["EVAL", f"{JOIN} return all(ARGV[1]:gsub(ARGV[2],{by}{most}))", 0, self.subject(),
                self.pattern(), pick.choice(REPLACEMENTS)]
