"""Tandem and redis-server side by side: plays steps on both and says where they differ."""
from collections import Counter
from dataclasses import dataclass, replace

from ..data import differing_keys
from ..load import caught_up
from ..servers import Server, is_stock
from . import laws, messages, reply
from .side import EVENTS, LISTENER, SUBSCRIBERS, WAITERS, WRITERS, Side
from .table import read_table

CHECK_EVERY = 200  # steps
LOG_LINES = 20  # of each server, where one ends or does not answer
TOGETHER = 100  # steps that are sent before their replies are read


@dataclass(frozen=True)
class Difference:
    at: int  # steps until it was seen
    what: str  # the command or the check that differed: the same fault has the same
    text: str
    of_replicas: bool = False  # seen at the end of a sequence only


class World:
    """The servers. `reached` counts the nodes of syntax that answers without an error had."""

    def __init__(self, folder, workers=1, reached=None):
        options = [] if is_stock("tandem") else ["--worker-threads", workers]
        quiet = ["--slowlog-log-slower-than", "-1"]
        self.sides = (Side(Server("tandem", folder / "tandem", *options, *quiet),
                           Server("redis", folder / "redis-replica")),
                      Side(Server("redis", folder / "redis", *quiet),
                           Server("tandem", folder / "tandem-replica")))
        self.reached = Counter() if reached is None else reached
        self.channels = [*SUBSCRIBERS, LISTENER]
        self.tables = ()

    def start(self):
        for side in self.sides:
            side.start()
        if not all(side.tell_events(EVENTS) for side in self.sides):
            self.channels.remove(LISTENER)
            for side in self.sides:
                side.tell_events("")
        self.tables = tuple(read_table(side.control) for side in self.sides)

    def close(self):
        """Stops everything; gives what was wrong with an end."""
        return [problem for side in self.sides for problem in side.close()]

    def log_tails(self):
        servers = [server for side in self.sides for server in (side.server, side.replica)]
        return [f"-- log of {server}\n{server.log_tail(LOG_LINES)}" for server in servers]

    def play(self, steps, together=False, replicas=True):
        """From a clean start: the first difference, or None. `together`: connections do not wait
        for each other, for they have nothing in common. `replicas`: in the end they are compared,
        too."""
        for side in self.sides:
            side.clean()
        playing = Playing(self, together)
        return playing.play(steps) or (playing.check_replicas(len(steps)) if replicas else None)


class Playing:
    """One sequence from its clean start. A connection's queue holds the steps of its transaction;
    `waiting` are steps that have not been answered, by their connections."""

    def __init__(self, world, together):
        self.world = world
        self.sides = world.sides
        self.together = together
        self.queues = [None for _ in WRITERS]
        self.waiting = {}

    def play(self, steps):
        at, checked = 0, 0
        while at < len(steps):
            turn = self._turn(steps, at)
            found = self._play_turn(at, turn)
            at += len(turn)
            if not found and (at - checked >= CHECK_EVERY or at == len(steps)):
                checked, found = at, self._check(at)
            if found:
                return found
        return None

    def _turn(self, steps, at):
        """Steps that are sent before a reply is read: of one connection, or of some together."""
        last = at + 1
        while last < min(len(steps), at + TOGETHER) and (
                steps[last].connection == steps[at].connection or
                self.together and {steps[last].connection, steps[at].connection} <= {*WRITERS}):
            last += 1
        return steps[at:last]

    def _play_turn(self, at, turn):
        if turn[0].connection in WRITERS:
            return self._write(at, turn)
        if turn[0].connection in WAITERS:
            return self._wait(at, turn)
        if turn[0].connection in SUBSCRIBERS:
            return self._subscribe(at, turn)
        for side in self.sides:
            side.cut(turn[0].words)
        return None

    def _write(self, at, turn):
        by_connection = {}
        for step in turn:
            by_connection.setdefault(step.connection, []).extend(step.commands())
        for side in self.sides:
            for connection, commands in by_connection.items():
                side.lines[connection].send(commands)
        for place, step in enumerate(turn, at + 1):
            if found := self._read(place, step):
                return found
        return None

    def _read(self, at, step):
        for words in step.commands():
            answers = [side.lines[step.connection].reply() for side in self.sides]
            for one, ours, theirs in self._answered(replace(step, words=words), *answers):
                if found := self._compared(at, one, ours, theirs):
                    return found
        return None

    def _compared(self, at, step, ours, theirs):
        if laws.differ(self.world.tables[1], step.words, ours, theirs):
            return self._replies_differ(at, step.words, ours, theirs)
        if not reply.is_error(theirs) and theirs != b"+QUEUED\r\n":
            self.world.reached.update(step.reached)
        return None

    def _answered(self, step, ours, theirs):
        """The commands that a pair of replies answers, with the reply of each: EXEC answers for the
        commands that were queued."""
        name, queue = step.words[0].upper(), self.queues[step.connection]
        if name == b"EXEC" and queue is not None:
            self.queues[step.connection] = None
            parts = reply.elements(ours), reply.elements(theirs)
            if None not in parts and len(parts[0]) == len(parts[1]) == len(queue):
                return zip(queue, *parts)
        elif name in (b"DISCARD", b"RESET") and not reply.is_error(theirs):
            self.queues[step.connection] = None
        elif name == b"MULTI" and theirs == b"+OK\r\n":
            self.queues[step.connection] = []
        elif queue is not None and theirs == b"+QUEUED\r\n":
            queue.append(step)
        return [(step, ours, theirs)]

    def _wait(self, at, turn):
        """The command is there, waiting or answered, before anything else is sent."""
        for place, step in enumerate(turn, at + 1):
            if found := self._end_of_waits(place, [step.connection]):
                return found
            for side in self.sides:
                side.wait(step)
            self.waiting[step.connection] = step
        return None

    def _end_of_waits(self, at, connections):
        """Whom nobody served is told to go on; both kinds of answers are compared."""
        for step in [self.waiting.pop(number) for number in connections if number in self.waiting]:
            lines = [side.lines[step.connection] for side in self.sides]
            waited = [side.control("CLIENT", "UNBLOCK", line.identity)
                      for side, line in zip(self.sides, lines)]
            ours, theirs = (line.reply() for line in lines)
            if waited[0] != waited[1]:
                return self._replies_differ(at, step.words, ours, theirs)
            if found := self._compared(at, step, ours, theirs):
                return found
        return None

    def _subscribe(self, at, turn):
        for place, step in enumerate(turn):
            answers = []
            for side in self.sides:
                line = side.lines[step.connection]
                line.send([step.words])
                heard, replies = messages.told_apart(line.replies_to_mark())
                line.pushed += heard
                answers.append(replies)
            if not messages.same_replies(*answers):
                return self._replies_differ(at + place + 1, step.words, *answers)
            if not any(kind in b"-!" for kind, _ in answers[1]):
                self.world.reached.update(step.reached)
        return None

    def _replies_differ(self, at, words, ours, theirs):
        command = laws.find(self.world.tables[1], words)
        return Difference(at, command.name if command else "an unknown command",
                          f"{shown(words)}\n    ours   {ours!r:.400}\n    theirs {theirs!r:.400}")

    # what is checked now and then

    def _check(self, at):
        return (self._end_of_waits(at, WAITERS) or self._check_messages(at) or
                self._check_invalidations(at) or
                self._check_data(at, "data", *(side.server for side in self.sides),
                                 exact=False))

    def _check_messages(self, at):
        """Of channels, and of events in the keyspace."""
        for number in self.world.channels:
            heard = []
            for side in self.sides:
                line = side.lines[number]
                line.pushed += messages.told_apart(line.replies_to_mark())[0]
                heard.append(line.pushed_so_far())
            found = messages.first_difference(*heard, by_key=self.together)
            if found:
                return Difference(at, "messages", "    ours   {}\n    theirs {}".format(*found))
        return None

    def _check_invalidations(self, at):
        """What CLIENT TRACKING told of, in any order: several keys may be told of at once."""
        for number in WRITERS:
            if self.queues[number] is not None:
                continue  # PING would be queued, too
            pushed = []
            for side in self.sides:
                line = side.lines[number]
                line.send([(b"PING",)])
                line.reply()
                pushed.append(sorted(line.pushed_so_far()))
            if pushed[0] != pushed[1]:
                return Difference(at, "invalidations",
                                  "    ours   {}\n    theirs {}".format(*pushed))
        return None

    def check_replicas(self, at):
        for side in self.sides:
            caught_up(side.server, side.replica)
            found = self._check_data(at, f"the data of {side.replica.kind} as a replica",
                                     side.server, side.replica)
            if found:
                return replace(found, of_replicas=True)
        return self._check_functions(at)

    def _check_functions(self, at):
        """The libraries of all servers."""
        servers = [server for side in self.sides for server in (side.server, side.replica)]
        listed = []
        for server in servers:
            with server.connect() as connection:
                raw = connection.raw("FUNCTION", "LIST", "WITHCODE")
            listed.append(laws.sorted_throughout(reply.parse(raw)))
        differing = [f"    {server} {libraries}" for server, libraries in zip(servers, listed)
                     if libraries != listed[0]]
        return Difference(at, "functions", "\n".join(
            [f"    {servers[0]} {listed[0]}", *differing]), of_replicas=True) if differing else None

    @staticmethod
    def _check_data(at, what, one, other, exact=True):
        with one.connect() as ours, other.connect() as theirs:
            keys = differing_keys(ours, theirs, exact)
        return Difference(at, what, keys) if keys else None


def shown(words):
    return " ".join(repr(word)[1:100] for word in words)
