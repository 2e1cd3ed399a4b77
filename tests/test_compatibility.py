"""docs/compatibility.md: the table's commands, and why each other one of Redis is not there."""
import importlib.util

import pytest

from harness.servers import ROOT, is_stock

SPEC = importlib.util.spec_from_file_location("page", ROOT / "tools" / "compatibility_page.py")
compatibility_page = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(compatibility_page)

pytestmark = pytest.mark.skipif(is_stock("tandem"), reason="the page is about Tandem")


def names(client):
    return {name for name, _ in compatibility_page.flat(client("COMMAND", "DOCS"))}


def test_every_command_of_redis_is_there_or_there_is_a_reason(start):
    ours, theirs = (names(start(kind).connect(protocol=3)) for kind in ("tandem", "redis"))
    assert not theirs & compatibility_page.NEW_IN_7_2
    assert theirs | compatibility_page.NEW_IN_7_2 == ours | set(compatibility_page.ABSENT)
    assert not ours & set(compatibility_page.ABSENT)


def test_the_page_is_the_one_in_docs(start):
    with start("tandem").connect(protocol=3) as client:
        made = compatibility_page.page(client("COMMAND", "DOCS"))
    assert (ROOT / "docs" / "compatibility.md").read_text() == made, "run ./dev docs"
