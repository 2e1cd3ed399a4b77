"""RDB files made by hand, as no server at hand writes them. Strings are short: below 64 bytes."""

STRING, LIST, SET, ZSET, HASH, ZSET_2, MODULE = 0, 1, 2, 3, 4, 5, 7
ZIPMAP, LIST_ZIPLIST, INTSET, ZSET_ZIPLIST, HASH_ZIPLIST, QUICKLIST = 9, 10, 11, 12, 13, 14
HASH_LISTPACK, ZSET_LISTPACK, QUICKLIST_2, SET_LISTPACK = 16, 17, 18, 20
NO_CHECKSUM = bytes(8)


def text(data):
    return bytes([len(data)]) + data


def entry(kind, key, *value):
    return bytes([kind]) + text(key) + b"".join(value)


def file(*items, version=10, checksum=NO_CHECKSUM):
    """Its items lie in database 0; the first begins at byte 11."""
    return b"REDIS%04d\xfe\x00" % version + b"".join(items) + b"\xff" + checksum


def head(data):
    """The auxiliary fields of a file, as bytes by name."""
    fields, at = {}, 9

    def word():
        nonlocal at
        first, at = data[at], at + 1
        integer_bytes = {0xc0: 1, 0xc1: 2, 0xc2: 4}.get(first)
        length = integer_bytes or first
        assert integer_bytes or first < 64, "longer texts are none of these"
        part, at = data[at:at + length], at + length
        return b"%d" % int.from_bytes(part, "little", signed=True) if integer_bytes else part

    while data[at] == 0xfa:
        at += 1
        name = word()
        fields[name.decode()] = word()
    return fields


def ziplist(*elements):
    body, last = b"", 10
    previous = 0
    for element in elements:
        last = 10 + len(body)
        item = bytes([previous]) + text(element)
        body, previous = body + item, len(item)
    head = [(11 + len(body)).to_bytes(4, "little"), last.to_bytes(4, "little"),
            len(elements).to_bytes(2, "little")]
    return b"".join(head) + body + b"\xff"


def listpack(*elements):
    body = b"".join(bytes([0x80 | len(e)]) + e + bytes([len(e) + 1]) for e in elements)
    head = (7 + len(body)).to_bytes(4, "little") + len(elements).to_bytes(2, "little")
    return head + body + b"\xff"
