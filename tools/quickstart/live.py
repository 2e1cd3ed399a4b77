"""The live table: role, offset, lag, link and sync phase of each server, drawn again and again."""
import shutil
import sys

from group import ask
from harness.servers import parse_info
from harness.wait import Waited, wait_until

REDRAW_SECONDS = 0.5
HEADINGS = ("server", "port", "role", "offset", "lag", "link", "sync")
WIDTHS = (10, 6, 8, 14, 9, 5, 0)
BAR_CELLS = 9  # so that a line with a bar fits into 80 columns


def figures(reply):
    """INFO's reply as a dictionary, None when there is none."""
    info = parse_info(reply) if reply else {}
    return info if "role" in info else None


def bar(done, total):
    cells = BAR_CELLS * done // total
    return "[" + "#" * cells + "." * (BAR_CELLS - cells) + f"] {100 * done // total:3d} %"


def amount(size):
    for unit in ("B", "KB", "MB", "GB"):
        if size < 10000 or unit == "GB":
            return f"{size} {unit}"
        size //= 1024
    return None


def key_count(info):
    """Of all databases."""
    return sum(int(value.split(",")[0].removeprefix("keys=")) for name, value in info.items()
               if name.startswith("db") and value.startswith("keys="))


def phase(info, primary):
    """What the sync does at this moment, with a bar where the end can be told."""
    if info.get("loading") == "1":
        return "loading   " + progress(info, "loading_loaded_bytes", "loading_total_bytes")
    if info["role"] == "master":
        waiting = [info[f"slave{n}"] for n in range(int(info["connected_slaves"]))
                   if f"slave{n}" in info and "state=online" not in info[f"slave{n}"]]
        return f"sending a snapshot to {len(waiting)}" if waiting else "-"
    if info.get("master_sync_in_progress") == "1":
        return "receiving " + received(info, primary)
    if info.get("master_link_status") == "up":
        failed = int(info.get("unexpected_error_replies", 0))
        return f"following, but {failed} failed here" if failed else "following"
    return f"connecting {info.get('master_link_last_failure', '')}".rstrip()


def received(info, primary):
    """A primary that streams its snapshot does not say how long it is, but how many keys it has."""
    if int(info.get("master_sync_total_bytes", 0)) > 0 or primary is None:
        return progress(info, "master_sync_read_bytes", "master_sync_total_bytes")
    total = key_count(primary)
    read = int(info.get("master_sync_read_keys", 0))
    return bar(min(read, total), total) if total > 0 else amount(0)


def progress(info, done_field, total_field):
    done, total = int(info.get(done_field, 0)), int(info.get(total_field, 0))
    return bar(min(done, total), total) if total > 0 else amount(done)


def primary_of(info, by_port):
    """The figures of the server that this one follows, if they are in the table."""
    return by_port.get(info.get("master_port"))


def origin(info, by_port):
    """Where the stream that this one follows begins: the end of the chain, as far as it is seen."""
    for _ in by_port:
        above = primary_of(info, by_port)
        if above is None:
            break
        info = above
    return info


def row(name, port, info, by_port):
    if info is None:
        return (name, port, "-", "-", "-", "down", "does not answer")
    if info["role"] == "master":
        return (name, port, "primary", info["master_repl_offset"], "-", "-", phase(info, None))
    offset = int(info.get("slave_repl_offset", 0))
    lag = amount(max(0, int(origin(info, by_port)["master_repl_offset"]) - offset))
    return (name, port, "replica", offset, lag, info.get("master_link_status", "?"),
            phase(info, primary_of(info, by_port)))


def table(group, source=None):
    """The lines to show now."""
    asked = [(name, s.port, figures(ask(s.port, "INFO"))) for name, s in
             zip(group.names, group.servers)]
    if source:
        asked.insert(0, ("source", source.port, figures(source.ask("INFO"))))
    by_port = {str(port): info for _, port, info in asked if info}
    rows = [HEADINGS] + [row(name, port, info, by_port) for name, port, info in asked]
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
