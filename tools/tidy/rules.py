"""The house rules, one function each. A rule takes a File and yields (line, message)."""
import ast
import re
from pathlib import PurePosixPath

from source import code_only, outline

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
HERMETIC_PARTS = {"data", "keyspace", "rdb", "engine", "commands"}  # never see io


class File:
    """One source file: its path from the root, its text, and what the rules ask about it."""

    def __init__(self, path, text, parts=None):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.parts = parts or {}
        pure = PurePosixPath(path)
        self.part = pure.parts[1] if pure.parts[0] == "src" and len(pure.parts) > 2 else None
        self.is_cpp = pure.suffix in (".cc", ".h")
        self.is_python = pure.suffix == ".py"
        self.is_program = pure.suffix in (".mjs", ".php") or text.startswith("#!")
        self.is_test = pure.stem.endswith("_test")
        self.code = code_only(text) if self.is_cpp else text
        self.functions, self.statements = outline(self.code) if self.is_cpp else ([], [])

    def matches(self, pattern):
        for number, line in enumerate(self.code.split("\n"), 1):
            found = re.search(pattern, line)
            if found:
                yield number, found

    def includes(self):
        for number, line in enumerate(self.lines, 1):
            found = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
            if found:
                yield number, found.group(1), found.group(2)


def read_parts(cmake_text):
    """What each part may include, from the one list: CMakeLists.txt's tandem_part() lines."""
    parts = {}
    for name, rest in re.findall(r"^tandem_part\((\w+)([^)]*)\)", cmake_text, re.M):
        uses, _, tests_use = rest.partition("TESTS_USE")
        parts[name] = {name}.union(*(parts.get(used, set()) for used in uses.split()))
        tests = parts[name].union(*(parts.get(used, set()) for used in tests_use.split()))
        parts[f"{name} tests"] = tests
    return parts


def include_order(file):
    if file.part is None or file.part not in file.parts:
        return
    allowed = file.parts[f"{file.part} tests" if file.is_test else file.part]
    for line, quote, target in file.includes():
        part = target.split("/")[0]
        if quote == "<":
            if "/" in target and part in file.parts:
                yield line, f'<{target}> is ours: write it in quotes'
            continue
        if "/" not in target or part not in file.parts:
            yield line, f'"{target}" is no "part/file.h"'
        elif file.part in HERMETIC_PARTS and part == "io":
            yield line, f"{file.part} never includes io: time, network and disk come as arguments"
        elif part not in allowed:
            yield line, f"{file.part} may not include {part} (CMakeLists.txt lists what it uses)"


def own_header_first(file):
    """A .cc that includes its own header first proves at every build that it compiles alone."""
    if not file.path.endswith(".cc") or file.part is None:
        return
    own = re.sub(r"(_test)?\.cc$", ".h", file.path.removeprefix("src/"))
    listed = [target for _, _, target in file.includes()]
    if own in listed and listed[0] != own:
        yield 1, f'"{own}" must be the first include'


def pragma_once(file):
    if file.path.endswith(".h") and not re.search(r"^#pragma once$", file.text, re.M):
        yield 1, "a header starts with #pragma once"


def file_length(file):
    count = len(file.text.splitlines())
    if count > FILE_LINES_MAX:
        yield 1, f"{count} lines, at most {FILE_LINES_MAX}: one owner of state per file"


def columns(file):
    if not (file.is_cpp or file.is_python or file.is_program):
        return
    for number, line in enumerate(file.lines, 1):
        if len(line) > COLUMNS_MAX and "http" not in line:
            yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"


def functions_of(file):
    """(name, first line, length) of every function."""
    if file.is_cpp:
        return [(f.name, f.first_line, f.lines) for f in file.functions]
    if file.is_python:
        return [
            (node.name, node.lineno, node.end_lineno - node.lineno + 1)
            for node in ast.walk(ast.parse(file.text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
    return []


def function_length(file):
    for name, line, length in functions_of(file):
        if length > FUNCTION_LINES_MAX:
            yield line, f"{name}: {length} lines, at most {FUNCTION_LINES_MAX}"


# (pattern, what to use instead, paths where it is allowed). The one list of banned calls.
BANNED_CALLS = [
    (r"::now\(", "the Clock that was passed in (base/clock.h)", r"^src/(base|io)/"),
    (r"\b(clock_)?gettime(ofday)?\(|::time\(|(?<![\w.>])time\((nullptr|NULL|0|&\w+)\)",
     "the Clock (base/clock.h)", r"^src/(base|io)/"),
    (r"(?<![\w.>])(s?rand|srandom|rand_r|s?rand48|[delmn]rand48)\(|(?<![\w.>])random\(\)|"
     r"\brandom_device\b|\bmt19937|\b(default_random|minstd_rand|ranlux|knuth_b)",
     "a seeded Random (base/random.h)", r"^src/base/"),
    (r"(?<![\w.>])(socket|epoll_\w+|getaddrinfo|accept4)\(", "a stream of io/", r"^src/io/"),
    (r"(?:^\s*|[=!,&|?:]\s+|!|\b(?:if|while) \(|\breturn\s+|(?<!\w)::)"
     r"(connect|bind|listen|accept|send(to|msg)?|recv(from|msg)?|p?poll)\((?!\))",
     "a stream of io/", r"^src/(io|sim)/"),
    (r"#\s*include\s*<(sys/socket|sys/un|netinet/\w+|arpa/\w+|sys/epoll|sys/select|poll|uv)\.h>",
     "io/", r"^src/io/"),
    (r"#\s*include\s*<fstream>|(?<![\w.>])fopen\(|(?<![\w>)])::open\(", "a file of io/",
     r"^src/(io|base)/|_test\.cc$|^fuzz/"),
    (r"\bsleep_(for|until)\(|\bu?nanosleep\(|\busleep\(|(?<![\w.>])sleep\(",
     "a timer of the loop, or a wait on a condition", r"^src/io/|^src/sim/|^src/base/thread\.cc$"),
    (r"\.detach\(\)", "a Scope that joins (io/)", r"^$"),
    (r"\b(v?f?printf|v?sn?printf|f?puts)\(|std::c(out|err)\b", "fmt, or log_* (base/logging.h)",
     r"^src/base/(check|logging|number)\.cc$|/main\.cc$|_main\.cc$|^src/sim/.*replication.*\.cc$"),
    (r"(?<!\w)assert\(|#\s*include\s*<cassert>", "CHECK (base/check.h), or a Result", r"^$"),
    (r"\bdynamic_cast\b", "a virtual function that says what is wanted",
     r"^(?!src/)|_test\.cc$"),
    # What no argument can prove, a debug build checks: that a thread holds no stripe already.
    (r"\bthread_local\b", "an argument, or a member of the owner",
     r"^src/keyspace/stripe_lock\.cc$"),
]


def banned_calls(file):
    if not file.is_cpp:
        return
    for pattern, instead, allowed in BANNED_CALLS:
        if re.search(allowed, file.path):
            continue
        for line, found in file.matches(pattern):
            yield line, f"'{found.group().strip()}' is banned here; use {instead}"


# A command's own name, and what it is held against: no code knows a command by its name.
_COMMAND_NAME = r"(?:\w+(?:\.|->))*(?:(?:command|row)(?:\(\))?(?:\.|->)name|full_name)\b"
_NAME_COMPARED = re.compile(
    rf"{_COMMAND_NAME}\s*[=!]=|[=!]=\s*{_COMMAND_NAME}"
    r"|equal_ignore_case\([^;]*\bfull_name\b|\bfind\([^;]*\bfull_name\b"
    r"|=\s*(?:\w+(?:\.|->))*row(?:\.|->)name\b")
# The registry finds commands by name; what config calls a row is a directive's.
_KNOWS_NAMES = re.compile(r"^src/engine/command\.cc$|^src/config/|_test\.cc$|^(?!src/)")


def command_names(file):
    """What is special about a command stands in its row, as a flag."""
    if not file.is_cpp or _KNOWS_NAMES.search(file.path):
        return
    for line, found in file.matches(_NAME_COMPARED):
        yield line, f"'{found.group().strip()}' asks for a command by name; give its row a flag"


# The one file that writes into the replication log; the log itself is below it.
APPENDER = "src/engine/journal.cc"


def log_appenders(file):
    """One place knows where records start and which database is selected there."""
    if not file.is_cpp or file.is_test or file.path == APPENDER or file.part in (None, "log"):
        return
    for line, found in file.matches(r"\blog_?(?:\(\))?(?:\.|->)(append\w*)\("):
        yield line, f"'{found.group(1)}' of the log: only {APPENDER} appends"


def friends(file):
    """A friend that lives in another file opens a class to code that its reader cannot see."""
    if not file.is_cpp:
        return
    for line, found in file.matches(r"^\s*friend\s+(?:class|struct)\s+([\w:]+)"):
        name = found.group(1).split("::")[-1]
        if not re.search(rf"\b(class|struct)\s+(\w+\s+)?([\w:]*::)?{name}\b[^;()]*\{{", file.code):
            yield line, f"{name} lives in another file; give the class a narrow public function"


_MUTABLE_STATIC = re.compile(
    r"\bstatic\s+(?!const\b|constexpr\b|inline const|_)[\w:<>,*&\s]+?[\s*&>](\w+)\s*(=|;|\{|$)")
_HARMLESS = re.compile(
    r"^(\[\[\w+\]\]\s*)?(using|typedef|const|constexpr|constinit const|static|inline const|"
    r"inline constexpr|extern|class|struct|enum|union|template|friend|namespace|static_assert|"
    r"concept)\b")


def mutable_globals(file):
    if not file.is_cpp:
        return
    for line, found in file.matches(_MUTABLE_STATIC):
        yield line, f"'{found.group(1)}' is a static that can change; give it to an owner"
    for statement in file.statements:
        before_value = re.split(r"=", statement.text)[0]
        if _HARMLESS.match(statement.text) or "(" in before_value or " const " in before_value:
            continue
        if re.search(r"[\w>*&]\s+\w+\s*(\[\w*\])?\s*$", before_value):
            yield statement.line, f"'{before_value.strip()[:50]}' is a global that can change"


def unfinished(file):
    words = r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"
    for number, line in enumerate(file.lines, 1):
        if re.search(words, line):
            yield number, "finish it, or open an issue and leave no mark"


def python_waits(file):
    """Tests wait for a condition with a deadline; the only pause is the one inside that helper."""
    if not file.is_python or file.path == "tests/harness/wait.py":
        return
    for number, line in enumerate(file.lines, 1):
        if re.search(r"\btime\.sleep\(|from time import .*\bsleep\b", line):
            yield number, "use wait_until() of tests/harness/wait.py"


def own_world(file):
    """Nothing of the place where it was written: no absolute work folders, no issue numbers."""
    for number, line in enumerate(file.lines, 1):
        if re.search("/wor" + r"k/\w|\bissue #?\d", line, re.I):
            yield number, "a path or a number that means nothing in a clone"


def unit_of(path):
    """A header and its source are one unit: "data/set" of src/data/set.h and src/data/set.cc."""
    return PurePosixPath(path).with_suffix("").as_posix().removeprefix("src/")


def circles(arrows):
    """The groups of names that reach each other, of {name: the names it points to}."""

    def reached(start):
        seen, open_ones = set(), [start]
        while open_ones:
            for name in arrows.get(open_ones.pop(), ()):
                if name not in seen:
                    seen.add(name)
                    open_ones.append(name)
        return seen

    reach = {name: reached(name) for name in arrows}
    groups = {frozenset(other for other in reach[name] if name in reach.get(other, ()))
              for name in arrows if name in reach[name]}
    return sorted(sorted(group) for group in groups)


def header_circles(files):
    """Units that need each other can only be read, changed and tested together: they are one."""
    arrows, first = {}, {}
    for file in files:
        if file.part is None or file.is_test or not file.is_cpp:
            continue
        unit = unit_of(file.path)
        first[unit] = min(file.path, first.get(unit, file.path), key=lambda path: path[::-1])
        targets = {unit_of(target) for _, quote, target in file.includes() if quote == '"'}
        arrows.setdefault(unit, set()).update(targets - {unit})
    for group in circles(arrows):
        yield first[group[0]], 1, f"a circle of includes: {', '.join(group)}"


# Of one file, and of all together: those yield (path, line, message).
RULES = [include_order, own_header_first, pragma_once, file_length, columns, function_length,
         banned_calls, command_names, log_appenders, friends, mutable_globals, unfinished,
         own_world, python_waits]
TREE_RULES = [header_circles]


def check(file):
    for rule in RULES:
        for line, message in rule(file):
            yield rule.__name__, line, message


def check_tree(files):
    for rule in TREE_RULES:
        for path, line, message in rule(files):
            yield rule.__name__, path, line, message
