"""Clauses of Redis's documentation, by family: data/clauses.txt, beside redis-server."""
from pathlib import Path

import pytest

from harness.scenes import Player, differences, read_scenes
from harness.servers import is_stock

SCENES = read_scenes((Path(__file__).parent / "data" / "clauses.txt").read_text())


@pytest.mark.parametrize("protocol", [2, 3])
def test_clauses(start, protocol):
    players = [Player(start(kind)) for kind in ("tandem", "redis")]
    found = [f"{family}, {difference}" for family, scene in SCENES
             if not (protocol == 2 and family.endswith("RESP3"))
             if not (is_stock("tandem") and any(line.startswith("= ") for line in scene))
             for difference in differences(players, scene, protocol)]
    assert not found, "\n".join(found)
