"""The live table: role, offset, lag, link and sync phase of each server, drawn again and again."""
import shutil
import sys

from harness.servers import parse_info
from harness.wait import Waited, wait_until
from harness.wire import Connection, ReplyError

REDRAW_SECONDS = 0.5
BAR_CELLS = 24
HEADINGS = ("server", "port", "role", "offset", "lag", "link", "sync")
WIDTHS = (10, 6, 8, 14, 12, 6, 0)


def ask(port, host="127.0.0.1", user=None, password=None):
    """INFO as a dictionary, or None when the server does not answer."""
    try:
        with Connection(port, host=host, seconds=1) as connection:
            if password:
                connection.call("AUTH", *([user] if user else []), password)
            return parse_info(connection.call("INFO"))
    except (OSError, EOFError, ReplyError):
        return None


def bar(done, total):
    cells = BAR_CELLS * done // total
    return "[" + "#" * cells + "." * (BAR_CELLS - cells) + f"] {100 * done // total:3d} %"


def amount(size):
    for unit in ("B", "KB", "MB", "GB"):
        if size < 10000 or unit == "GB":
            return f"{size} {unit}"
        size //= 1024
    return None


def phase(info):
    """What the sync does at this moment, with a bar where the end is known."""
    if info.get("loading") == "1":
        return "loading   " + progress(info, "loading_loaded_bytes", "loading_total_bytes")
    if info["role"] == "master":
        waiting = [info[f"slave{n}"] for n in range(int(info["connected_slaves"]))
                   if f"slave{n}" in info and "state=online" not in info[f"slave{n}"]]
        return f"sending a snapshot to {len(waiting)}" if waiting else "-"
    if info.get("master_sync_in_progress") == "1":
        return "receiving " + progress(info, "master_sync_read_bytes", "master_sync_total_bytes")
    return "following" if info.get("master_link_status") == "up" else "connecting"


def progress(info, done_field, total_field):
    done, total = int(info.get(done_field, 0)), int(info.get(total_field, 0))
    return bar(min(done, total), total) if total > 0 else amount(done)


def row(name, port, info, newest):
    """One line of the table; `newest` is the offset that all strive for."""
    if info is None:
        return (name, port, "-", "-", "-", "down", "does not answer")
    is_primary = info["role"] == "master"
    offset = int(info["master_repl_offset"] if is_primary else info.get("slave_repl_offset", 0))
    link = "-" if is_primary else info.get("master_link_status", "?")
    lag = "-" if is_primary else amount(max(0, newest - offset))
    return (name, port, "primary" if is_primary else "replica", offset, lag, link, phase(info))


def table(group, source=None):
    """The lines to show now."""
    asked = [(name, s.port, ask(s.port)) for name, s in zip(group.names, group.servers)]
    if source:
        host, _, port = source.rpartition(":")
        asked.insert(0, ("source", port, ask(int(port), host.strip("[]") or "127.0.0.1")))
    newest = max((int(info["master_repl_offset"]) for _, _, info in asked if info), default=0)
    rows = [HEADINGS] + [row(name, port, info, newest) for name, port, info in asked]
    return ["".join(str(cell).ljust(width) for cell, width in zip(cells, WIDTHS)) for cells in rows]


def show(group, source=None):
    """Draws until Ctrl-C or until every server has ended; without a terminal it prints changes."""
    is_terminal = sys.stdout.isatty()
    before = None
    while any(server.process.poll() is None for server in group.servers):
        lines = table(group, source)
        if is_terminal:
            width = shutil.get_terminal_size().columns
            up = f"\x1b[{len(lines)}A" if before else ""
            print(up + "".join(f"\r{line[:width - 1]}\x1b[K\n" for line in lines), end="",
                               flush=True)
        elif lines != before:
            print("\n".join(lines), flush=True)
        before = lines
        pause()


def pause():
    """Lets the redraw interval pass."""
    try:
        wait_until(lambda: False, "the next redraw", REDRAW_SECONDS)
    except Waited:
        pass
