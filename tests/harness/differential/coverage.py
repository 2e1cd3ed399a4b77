"""Which commands of the table, and which options of each, were answered without an error."""
from . import left_out


def of_table(table, reached):
    """A line for each command that was sent, with what no good answer had; then what was not sent.
    Returns (text, nodes reached, nodes)."""
    lines, good, total = [], 0, 0
    for name, command in sorted(table.items()):
        if why := left_out.reason(command):
            if not command.is_container:
                lines.append(f"{name}: left out: {why}")
            continue
        paths = [name, *sorted(node.path for node in command.nodes())]
        missed = [path for path in paths if path not in reached]
        good, total = good + len(paths) - len(missed), total + len(paths)
        lines.append(f"{name}: {reached.get(name, 0)} answers, {len(paths) - len(missed)} of "
                     f"{len(paths)}" + "".join(f"\n    not: {path}" for path in missed))
    return "\n".join(lines), good, total
