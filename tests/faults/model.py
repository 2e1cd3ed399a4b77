"""The part of Redis that writers use, on plain Python values: what a history must lead to."""
from harness.wire import decode


class Sorted(dict):
    """A sorted set: scores by member."""


class Stream(list):
    """Entries, each an id and its fields."""


class Model:
    """Keys and values of one writer. apply() changes them as a command does, and gives its reply.

    A text is a string, a list a list, a set a set, a dict a hash. `timed` are the keys that have a
    lifetime; it is always long, so that nothing expires."""

    def __init__(self, values=None, timed=()):
        self.values = values or {}
        self.timed = set(timed)

    def __eq__(self, other):
        return (self.values, self.timed) == (other.values, other.timed)

    def copy(self):
        values = {key: value if isinstance(value, str) else type(value)(value)
                  for key, value in self.values.items()}
        return Model(values, self.timed)

    def differences(self, other):
        """A line for each key that differs."""
        keys = sorted(self.values.keys() | other.values.keys())
        return [f"{key}: {self._show(key)} | {other._show(key)}" for key in keys
                if self._held(key) != other._held(key)]

    def _held(self, key):
        return self.values.get(key), key in self.timed

    def _show(self, key):
        value = self.values.get(key)
        shown = sorted(value) if isinstance(value, set) else value
        return f"{str(shown)[:300]}{' with a lifetime' if key in self.timed else ''}"

    def apply(self, words):
        return getattr(self, "do_" + words[0].lower())(*words[1:])

    def _drop(self, key):
        self.timed.discard(key)
        return self.values.pop(key, None) is not None

    def _drop_empty(self, *keys):
        for key in keys:
            if key in self.values and not self.values[key]:
                self._drop(key)

    # Strings and keys.

    def do_set(self, key, value, *lifetime):
        self._drop(key)
        self.values[key] = value
        if lifetime:
            self.timed.add(key)
        return "OK"

    def do_mset(self, *words):
        for key, value in zip(words[::2], words[1::2]):
            self.do_set(key, value)
        return "OK"

    def do_incrby(self, key, amount):
        self.values[key] = str(int(self.values.get(key, "0")) + int(amount))
        return int(self.values[key])

    def do_append(self, key, text):
        self.values[key] = self.values.get(key, "") + text
        return len(self.values[key])

    def do_del(self, *keys):
        return sum(self._drop(key) for key in keys)

    def do_copy(self, source, target, _replace):
        if source not in self.values:
            return 0
        self._drop(target)
        value = self.values[source]
        self.values[target] = value if isinstance(value, str) else type(value)(value)
        if source in self.timed:
            self.timed.add(target)
        return 1

    def do_pexpire(self, key, _milliseconds):
        if key not in self.values:
            return 0
        self.timed.add(key)
        return 1

    def do_persist(self, key):
        had = key in self.timed
        self.timed.discard(key)
        return int(had)

    # Lists.

    def do_rpush(self, key, *elements):
        self.values.setdefault(key, []).extend(elements)
        return len(self.values[key])

    def do_lpush(self, key, *elements):
        items = self.values.setdefault(key, [])
        items[:0] = reversed(elements)
        return len(items)

    def _pop(self, key, at):
        value = self.values[key].pop(at) if self.values.get(key) else None
        self._drop_empty(key)
        return value

    def do_lpop(self, key):
        return self._pop(key, 0)

    def do_rpop(self, key):
        return self._pop(key, -1)

    def do_lmove(self, source, target, _left, _right):
        value = self.values[source].pop(0) if self.values.get(source) else None
        if value is not None:
            self.do_rpush(target, value)
            self._drop_empty(source)
        return value

    def do_ltrim(self, key, first, last):
        if key in self.values:
            self.values[key] = self.values[key][int(first):int(last) + 1]
            self._drop_empty(key)
        return "OK"

    # Sets, hashes, sorted sets.

    def do_sadd(self, key, *members):
        before = len(self.values.setdefault(key, set()))
        self.values[key].update(members)
        return len(self.values[key]) - before

    def do_srem(self, key, *members):
        before = len(self.values.get(key, ()))
        self.values.get(key, set()).difference_update(members)
        gone = before - len(self.values.get(key, ()))
        self._drop_empty(key)
        return gone

    def do_smove(self, source, target, member):
        if member not in self.values.get(source, ()):
            return 0
        self.values[source].discard(member)
        self.do_sadd(target, member)
        self._drop_empty(source)
        return 1

    def do_hset(self, key, field, value):
        fields = self.values.setdefault(key, {})
        is_new = field not in fields
        fields[field] = value
        return int(is_new)

    def do_hincrby(self, key, field, amount):
        fields = self.values.setdefault(key, {})
        fields[field] = str(int(fields.get(field, "0")) + int(amount))
        return int(fields[field])

    def do_hdel(self, key, *fields):
        gone = sum(self.values.get(key, {}).pop(field, None) is not None for field in fields)
        self._drop_empty(key)
        return gone

    def do_zadd(self, key, score, member):
        scores = self.values.setdefault(key, Sorted())
        is_new = member not in scores
        scores[member] = score
        return int(is_new)

    def do_zincrby(self, key, amount, member):
        scores = self.values.setdefault(key, Sorted())
        scores[member] = str(int(scores.get(member, "0")) + int(amount))
        return scores[member]

    def do_zrem(self, key, member):
        return self.do_hdel(key, member)

    # Streams.

    def do_xadd(self, key, identity, *fields):
        self.values.setdefault(key, Stream()).append((identity, fields))
        return identity

    def do_xtrim(self, key, _maxlen, count):
        entries = self.values.get(key, [])
        gone = max(0, len(entries) - int(count))
        del entries[:gone]
        return gone

    def do_xdel(self, key, identity):
        entries = self.values.get(key, [])
        kept = [entry for entry in entries if entry[0] != identity]
        gone = len(entries) - len(kept)
        entries[:] = kept
        return gone


READS = {
    "string": (lambda key: ("GET", key), str),
    "list": (lambda key: ("LRANGE", key, 0, -1), list),
    "set": (lambda key: ("SMEMBERS", key), set),
    "hash": (lambda key: ("HGETALL", key), lambda flat: dict(zip(flat[::2], flat[1::2]))),
    "zset": (lambda key: ("ZRANGE", key, 0, -1, "WITHSCORES"),
             lambda flat: Sorted(zip(flat[::2], flat[1::2]))),
    "stream": (lambda key: ("XRANGE", key, "-", "+"),
               lambda entries: Stream((name, tuple(fields)) for name, fields in entries)),
}


def observe(connection, keys):
    """What a server holds of these keys, as a Model; in two turns, however many they are."""
    asked = [(word, key) for key in keys for word in ("TYPE", "PTTL")]
    answers = [decode(reply) for reply in connection.pipeline(asked)]
    kinds = {key: kind for key, kind in zip(keys, answers[::2]) if kind != "none"}
    raw = connection.pipeline([READS[kind][0](key) for key, kind in kinds.items()])
    values = {key: READS[kind][1](decode(reply)) for (key, kind), reply in zip(kinds.items(), raw)}
    return Model(values, {key for key, left in zip(keys, answers[1::2])
                          if left >= 0 and key in values})
