"""Adds up what `./dev test` left in its results folder and ends with 'N passed, N failed'."""
import sys
from pathlib import Path
from xml.etree import ElementTree


def count(folder):
    """(passed, failed, skipped) over all JUnit files; a file that cannot be read is a failure."""
    passed = failed = skipped = 0
    for path in sorted(folder.rglob("*.xml")):
        try:
            cases = list(ElementTree.parse(path).iter("testcase"))
        except ElementTree.ParseError:
            failed += 1
            continue
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def main():
    folder = Path(sys.argv[1])
    passed, failed, skipped = count(folder)
    steps = [line.split("|") for line in (folder / "steps").read_text().splitlines()]
    print("\nsteps of this run:")
    for outcome, seconds, name in steps:
        print(f"  {outcome:6} {int(seconds):4d} s  {name}")
    broken = sum(outcome != "ok" for outcome, _, _ in steps)
    print(f"{len(steps)} steps, {broken} of them failed; {skipped} tests skipped")
    # A step without tests of its own (a build, the tour) counts as one.
    print(f"{passed + len(steps) - broken} passed, {failed + broken} failed")


main()
