"""Scripts by Tandem and by Debian's redis-server: replies equal to the byte."""
import pytest

from harness.generate_scripts import ScriptGenerator

BATCH = 100


def differences(servers, protocol, commands):
    """The first few commands that the two answer differently, with both answers."""
    ours, theirs = (server.connect(protocol=protocol) for server in servers)
    found = []
    for at in range(0, len(commands), BATCH):
        batch = commands[at:at + BATCH]
        for command, a, b in zip(batch, ours.pipeline(batch), theirs.pipeline(batch)):
            if a != b:
                found.append(f"{command}\n  ours   {a!r}\n  theirs {b!r}")
        if len(found) > 10:
            break
    return found


@pytest.mark.parametrize("protocol", [2, 3])
def test_listed_scripts(start, protocol, request):
    text = (request.path.parent / "data" / "scripts.txt").read_text()
    scripts = [line for line in text.splitlines() if line and line[0] != "#"]
    commands = [["EVAL", script, 2, "k1", "k2", "a1", "a2"] for script in scripts]
    found = differences((start("tandem"), start("redis")), protocol, commands)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("seed", range(3))
def test_random_libraries(start, seed):
    """cmsgpack, struct and patterns, in both directions and with malformed input."""
    generator = ScriptGenerator(seed)
    commands = [generator.command() for _ in range(4000)]
    found = differences((start("tandem"), start("redis")), 2, commands)
    assert not found, "\n".join(found)
