"""Scenes: what several clients say one after the other, beside redis-server.

A scene is a few lines; each is sent to both servers, and what comes back is compared. The clients
are a (who speaks where nobody is named), b and c.
  WORDS       a's command and its reply; words are split as redis-cli does
  b: WORDS    b's
  b~ WORDS    b's, which blocks: sent, and in its place in the row before the next line
  b?          what b is told: its next reply, or a push
  b.          nothing more has come to b
  @b          as a word of a command: the number of b's connection (CLIENT ID)
  end MS      until so much time has passed at the server
  /A/B/       in what follows, A becomes B before replies are compared
  = REPLY     what 7.2 replies to the line before this one, where 7.0 says something else
"""
import re
import shlex

from .compare import Comparer
from .wait import wait_until
from .wire import decode, encode

LINE = r"(?:([abc])(: |~ |\?|\.))?(.*)"


def read_scenes(text):
    """(family, scene) of each block; a block may stand under a line "== family"."""
    family, scenes = "", []
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line and not line.startswith("# ")]
        if lines and lines[0].startswith("== "):
            family = lines.pop(0)[3:]
        if lines:
            scenes.append((family, lines))
    return scenes


def words(text):
    return [word.encode("latin-1").decode("unicode_escape").encode("latin-1")
            for word in shlex.split(text.replace("\\", "\\\\"))]


class Player:
    """One server with its clients; every scene has new ones, and no data before it."""

    def __init__(self, server):
        self.server = server
        self.watcher = server.connect()
        self.clients, self.waiting, self.numbers = {}, set(), {}

    def begin(self, protocol):
        self.watcher("FLUSHALL")
        for name in "abc":  # each is there before the next comes: so they are listed in this order
            self.clients[name] = self.server.connect(protocol=protocol)
            self.numbers[b"@%c" % ord(name)] = self.clients[name]("CLIENT", "ID")
        self.waiting.clear()

    def end(self):
        for client in self.clients.values():
            client.close()
        assert not self.waiting, "a scene reads what those who wait are told"

    def blocked(self):
        return int(re.search(r"blocked_clients:(\d+)", self.watcher("INFO", "clients"))[1])

    def play(self, line):
        """What comes back; bytes, or None."""
        who, mark, said = re.fullmatch(LINE, line).groups()
        client = self.clients[who or "a"]
        if not who and said.startswith("end "):
            return self._let_pass(int(said[4:]))
        if mark == "?":
            self.waiting.discard(who)
            return client.read_raw()
        if mark == ".":
            client.send(encode("ECHO", "nothing more"))
            return client.read_raw()
        if mark == "~ ":
            self.waiting.add(who)
            client.send(encode(*self._words(said)))
            wait_until(lambda: self.blocked() == len(self.waiting), line)
            return None
        return client.raw(*self._words(said))

    def _words(self, said):
        return [self.numbers.get(word, word) for word in words(said)]

    def _let_pass(self, milliseconds):
        def now():
            seconds, microseconds = map(int, self.watcher("TIME"))
            return seconds * 1000 + microseconds // 1000

        end = now() + milliseconds
        wait_until(lambda: now() > end, "the time has passed")


def differences(players, scene, protocol):
    """The lines at which the two servers differ: ours, and a redis-server 7.0."""
    for player in players:
        player.begin(protocol)
    comparers = {name: Comparer() for name in "abc"}
    replaced, found = [], []
    for line, after in zip(scene, [*scene[1:], ""]):
        if line.startswith("/"):
            replaced.append(line.split("/")[1:3])
        if line[:1] in "/=":
            continue
        ours, theirs = (_replace(player.play(line), replaced) for player in players)
        if after.startswith("= "):
            theirs = _reply_of_7_2(after)
        if ours is not None and _differ(comparers, line, ours, theirs):
            found.append(f"RESP{protocol}: {line}\n  ours   {ours[:400]!r}\n"
                         f"  theirs {theirs[:400]!r}")
    for player in players:
        player.end()
    return found


def _reply_of_7_2(line):
    return line[2:].encode("latin-1").decode("unicode_escape").encode("latin-1") + b"\r\n"


def _replace(reply, replaced):
    for pattern, text in replaced if reply is not None else ():
        reply = re.sub(pattern.encode(), text.encode(), reply)
    return reply


def _differ(comparers, line, ours, theirs):
    who, _, said = re.fullmatch(LINE, line).groups()
    found = comparers[who or "a"].difference(words(said) or [b""], ours, theirs)
    if found and ours[:1] == theirs[:1] and ours[:1] in b"~%":
        return decode(ours) != decode(theirs)
    return bool(found)
