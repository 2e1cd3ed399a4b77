"""What subscribers are sent: replies to their commands, and messages in between."""
from itertools import groupby

from . import reply

MESSAGES = (b"message", b"pmessage", b"smessage")


def told_apart(raws):
    """(messages, replies): trees of each."""
    trees = [reply.parse(raw) for raw in raws]
    kinds = [isinstance(value, tuple) and value[0][1] in MESSAGES for _, value in trees]
    return ([tree for tree, is_message in zip(trees, kinds) if is_message],
            [tree for tree, is_message in zip(trees, kinds) if not is_message])


def first_difference(ours, theirs, by_key=False):
    """None, or the messages of each from the first that differs. One that fits several patterns of
    a subscriber comes for each of them, in no order. `by_key`: only those of one key have one."""
    if by_key:
        ours, theirs = (sorted(trees, key=lambda tree: tree[1][-1]) for trees in (ours, theirs))
    ours, theirs = (_in_order(trees) for trees in (ours, theirs))
    if ours == theirs:
        return None
    same = next((at for at, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]),
                min(len(ours), len(theirs)))
    return ours[same:same + 2], theirs[same:same + 2]


def same_replies(ours, theirs):
    """UNSUBSCRIBE without names leaves the channels in no order, each with how many are left."""
    return ours == theirs or (_names(ours) == _names(theirs) and _counts(ours) == _counts(theirs))


def _in_order(trees):
    return [tree for _, same in groupby(trees, key=lambda tree: tree[1][-2:])
            for tree in sorted(same)]


def _names(trees):
    return sorted((kind, value[:-1]) for kind, value in trees if isinstance(value, tuple))


def _counts(trees):
    return [value[-1] for _, value in trees]
