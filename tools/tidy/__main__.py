"""tools/tidy: the house rules that a script can prove (rules.py lists them), and clang-format's.

    python3 tools/tidy             every tracked source file
    python3 tools/tidy --headers   also: headers that no .cc includes first compile alone

exceptions.txt is a ratchet: an entry allows one finding, and an entry that finds nothing any more
is an error too.
"""
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import rules  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
EXCEPTIONS = Path(__file__).with_name("exceptions.txt")


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split("\n")
    for name in filter(None, listed):
        path = ROOT / name
        if not path.is_file() or name.startswith("tests/data/"):
            continue
        text = path.read_bytes()
        if path.suffix in (".cc", ".h", ".py", ".mjs", ".php") or text.startswith(b"#!"):
            yield name, text.decode()


def read_exceptions():
    """Lines 'rule path:words reason'; the words are part of the finding's message."""
    entries = {}
    for line in EXCEPTIONS.read_text().split("\n"):
        if line and not line.startswith("#"):
            rule, where, reason = line.split(maxsplit=2)
            path, _, word = where.partition(":")
            entries[(rule, path, word)] = reason
    return entries


def headers_without_source(parts):
    """Headers that no .cc proves; the others stand first in their own .cc (own_header_first)."""
    for path in sorted((ROOT / "src").rglob("*.h")):
        own = path.relative_to(ROOT / "src").as_posix()
        proofs = [path.with_suffix(".cc"), path.with_name(path.stem + "_test.cc")]
        if not any(p.exists() and f'#include "{own}"' in p.read_text() for p in proofs):
            yield path


def compile_flags():
    """The folders and definitions of all files of the newest build tree together."""
    trees = sorted(ROOT.glob("build/*/compile_commands.json"), key=os.path.getmtime)
    if not trees:
        sys.exit("tidy --headers needs a configured build: ./dev build")
    kept = {}  # in order, each once
    entries = json.loads(trees[-1].read_text())
    for command in {entry["command"].split(" -o ")[0] for entry in entries}:
        words = shlex.split(command)
        kept.update({(word,): True for word in words if word.startswith(("-I", "-D"))})
        kept.update({pair: True for pair in zip(words, words[1:]) if pair[0] == "-isystem"})
    return [word for words in sorted(kept) for word in words]


def badly_formatted(names):
    """A line for each place that `./dev format` would change."""
    sources = [name for name in names if name.startswith(("src/", "fuzz/", "bench/"))
               and name.endswith((".cc", ".h"))]

    def complaints(some):
        command = ["clang-format-19", "--dry-run", "-Werror", *some]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return re.findall(r"^\S+:\d+:\d+: error: .*", done.stderr, re.M) or (
            [done.stderr] if done.returncode else [])

    count = os.cpu_count()
    with ThreadPoolExecutor(count) as pool:
        found = pool.map(complaints, [sources[n::count] for n in range(count)])
    return [line for lines in found for line in lines]


def headers_compile_alone(parts):
    flags = compile_flags()

    def failure(path):
        command = ["clang++-19", "-std=c++23", "-fsyntax-only", "-Wno-pragma-once-outside-header"]
        done = subprocess.run([*command, f"-I{ROOT}/src", *flags, str(path)],
                              cwd=ROOT, capture_output=True, text=True)
        name = path.relative_to(ROOT)
        return f"{name}: does not compile alone\n{done.stderr}" if done.returncode else None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(filter(None, pool.map(failure, headers_without_source(parts))))


def main():
    unknown = [word for word in sys.argv[1:] if word != "--headers"]
    if unknown:
        sys.exit(f"tidy: unknown argument {unknown[0]!r}; --headers is all there is")
    parts = rules.read_parts((ROOT / "CMakeLists.txt").read_text())
    exceptions, used, failures = read_exceptions(), set(), []
    files = [rules.File(name, text, parts) for name, text in tracked_files()]
    found = [(rule, file.path, *rest) for file in files for rule, *rest in rules.check(file)]
    for rule, name, line, message in [*found, *rules.check_tree(files)]:
        matching = (e for e in exceptions if e[:2] == (rule, name) and e[2] in message)
        entry = next(matching, None)
        if entry:
            used.add(entry)
        else:
            failures.append(f"{name}:{line}: {rule}: {message}")
    for entry in exceptions.keys() - used:
        failures.append(f"exceptions.txt: '{' '.join(entry)}' excuses nothing any more")
    failures += badly_formatted(file.path for file in files)
    if "--headers" in sys.argv:
        failures += headers_compile_alone(parts)
    print("\n".join(failures) or "tidy: clean")
    sys.exit(1 if failures else 0)


main()
