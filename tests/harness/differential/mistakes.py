"""What clients get wrong: the error must be the same, too."""


def spoil(values, words, tokens):
    """The command with one mistake. `tokens` are the options that any command knows."""
    at = values.random.randrange(len(words))
    other = values.random.randrange(len(words))
    odd = values.pick(values.text(), values.double(), values.any_key(), values.pick(*tokens))
    made = list(words)
    kind = values.random.randrange(8)
    if kind == 0:
        del made[at]
    elif kind == 1:
        made.insert(at, made[at])
    elif kind == 2:
        made[at], made[other] = made[other], made[at]
    elif kind == 3:
        made[at] = odd
    elif kind == 4:
        made.insert(at + 1, odd)
    elif kind == 5:
        made.append(odd)
    elif kind == 6:
        made = made[:at + 1]
    else:
        made[0] = f"{made[0]}x"
    return made or words
