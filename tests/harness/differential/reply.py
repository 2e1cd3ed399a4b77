"""A reply's bytes as a tree that loses nothing: (kind, value) with a value of bytes or of nodes."""

NULLS = {b"$-1\r\n": b"$", b"*-1\r\n": b"*", b"_\r\n": b"_"}
MANY = b"*~>%|"


def parse(raw):
    node, end = _parse(raw, 0)
    assert end == len(raw)
    return node


def elements(raw):
    """The bytes of each element of an array; None where it is none."""
    if raw[:1] != b"*" or raw in NULLS:
        return None
    at, found = raw.index(b"\r\n") + 2, []
    while at < len(raw):
        _, end = _parse(raw, at)
        found.append(raw[at:end])
        at = end
    return found


def is_error(raw):
    return raw[:1] in (b"-", b"!")


def _parse(raw, at):
    """The node that begins at this place, and where the next one does."""
    end = raw.index(b"\r\n", at)
    kind, head = raw[at:at + 1], raw[at + 1:end]
    end += 2
    if raw[at:end] in NULLS:
        return (b"null", kind), end
    if kind in b"$=!":
        last = end + int(head)
        return (kind, raw[end:last]), last + 2
    if kind not in MANY:
        return (kind, head), end
    children = []
    for _ in range(int(head) * (2 if kind in b"%|" else 1)):
        child, end = _parse(raw, end)
        children.append(child)
    return (kind, tuple(children)), end
