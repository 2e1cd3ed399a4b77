"""What 7.2 can do and the redis-server beside us cannot: examples of its documentation."""
import re
import subprocess
from pathlib import Path

import pytest

from harness.differential.table import read_table
from harness.servers import is_stock

pytestmark = pytest.mark.skipif(is_stock("tandem"), reason="since 7.2")
TEXT = (Path(__file__).parent / "data" / "new_in_7_2.txt").read_text()
# Words that 7.0 knows, too, but does not name in its table.
KNOWN = {"bitop AND", "bitop OR", "bitop XOR", "bitop NOT", "client|kill YES", "client|kill NO",
         'migrate ""'}
EXAMPLES = [block for block in TEXT.split("\n\n") if block.startswith(">")]


def commands(example):
    return [line[2:] for line in example.splitlines() if line.startswith("> ")]


def shown(server, lines):
    """What redis-cli prints for these commands on one connection, each after its command."""
    marked = "".join(f"{line}\nECHO {number}\n" for number, line in enumerate(lines))
    done = subprocess.run(["redis-cli", "--no-raw", "-p", str(server.port)], input=marked,
                          capture_output=True, text=True, timeout=30, check=True)
    left, text = done.stdout, ""
    for number, line in enumerate(lines):
        reply, _, left = left.partition(f'"{number}"\n')
        text += f"> {line}\n{reply}"
    return text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: commands(text)[-1])
def test_examples(start, example):
    text = shown(start("tandem"), commands(example))
    pattern = ".*".join(map(re.escape, example.strip().split("...")))
    assert re.fullmatch(pattern, text.strip()), text


def test_everything_new_has_an_example(start):
    """Each command that only our table has, and each option."""
    ours, theirs = (read_table(start(kind).connect()) for kind in ("tandem", "redis"))
    sent = [line.upper().split() for example in EXAMPLES for line in commands(example)]
    lacking = []
    for name, command in ours.items():
        words = name.upper().split("|")
        examples = [line for line in sent if line[:len(words)] == words]
        old = options(theirs[name]) if name in theirs else set()
        lacking += [] if examples or name in theirs else [name]
        lacking += [f"{name} {option}" for option in options(command) - old
                    if not any(option in line for line in examples)]
    assert set(lacking) == KNOWN


def options(command):
    return {node.token.upper() for node in command.nodes() if node.token}
