"""What a failed round tells: its plan, and all logs as one, by time."""
import re
from datetime import datetime

STAMP = re.compile(r"(\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3})")
LINES_MAX = 400


def merged(logs, events):
    """Lines of all logs and events by time. `logs` maps a name to a text, `events` are (seconds
    since the epoch, text). A line without a time stands after the one before it."""
    lines = [(moment, 0, f"{shown(moment)} ** {text}") for moment, text in events]
    for name, text in logs.items():
        moment = 0
        for number, line in enumerate(text.splitlines()):
            found = STAMP.search(line)
            if found:
                moment = datetime.strptime(found[1], "%d %b %Y %H:%M:%S.%f").timestamp()
                line = line[found.end():]
            lines.append((moment, number, f"{shown(moment)} {name} {line.strip()}"))
    return [line for _, _, line in sorted(lines, key=lambda entry: entry[:2])][-LINES_MAX:]


def shown(moment):
    return datetime.fromtimestamp(moment).strftime("%H:%M:%S.%f")[:-3]


def of_failure(this_round, problem):
    plan = this_round.plan
    logs = {str(member): member.log_text() for member in this_round.cluster.members}
    return "\n".join([
        f"seed {plan.seed}: {problem}",
        f"the plan: {plan}",
        f"the logs ({this_round.cluster.folder}):",
        *merged(logs, this_round.events),
        f"seed {plan.seed} FAILED; again: ./dev faults --seed {plan.seed}",
        f"  {str(problem).splitlines()[0][:300]}"])
