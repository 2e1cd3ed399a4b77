"""Each rule is shown a snippet that breaks it and one that keeps it."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import rules  # noqa: E402
from source import code_only, outline  # noqa: E402

PARTS = rules.read_parts("""
tandem_part(base USES fmt::fmt)
tandem_part(data USES base)
tandem_part(io USES base libuv)
tandem_part(engine USES data)
tandem_part(sim USES io)
tandem_part(replication USES engine io TESTS_USE sim)
""")


def found(text, path="src/engine/a.cc"):
    return {rule for rule, _, _ in rules.check(rules.File(path, text, PARTS))}


def test_parts_are_closed_over_what_they_use():
    assert PARTS["replication"] == {"replication", "engine", "data", "io", "base"}


@pytest.mark.parametrize("path, include, broken", [
    ("src/data/a.cc", '"base/a.h"', False),
    ("src/data/a.cc", '"engine/a.h"', True),
    ("src/data/a.cc", '"io/a.h"', True),
    ("src/engine/a.cc", '"io/a.h"', True),
    ("src/io/a.cc", '"data/a.h"', True),
    ("src/replication/a.cc", '"io/a.h"', False),
    ("src/replication/a.cc", '"a.h"', True),
    ("src/replication/a.cc", '"sim/a.h"', True),
    ("src/replication/a_test.cc", '"sim/a.h"', False),
    ("src/engine/a_test.cc", '"sim/a.h"', True),
    ("src/engine/a.cc", "<io/a.h>", True),
    ("src/engine/a.cc", "<data/a.h>", True),
    ("src/engine/a.cc", "<sys/stat.h>", False),
])
def test_include_order(path, include, broken):
    assert ("include_order" in found(f"#include {include}\n", path)) == broken


def test_own_header_first():
    own, other = '#include "engine/a.h"\n', '#include "base/b.h"\n'
    assert "own_header_first" in found(other + own)
    assert "own_header_first" not in found(own + other)
    assert "own_header_first" not in found(other)


def test_pragma_once():
    assert "pragma_once" in found("int a();\n", "src/base/a.h")
    assert "pragma_once" not in found("// What.\n#pragma once\nint a();\n", "src/base/a.h")


def test_lengths_and_columns():
    assert "file_length" in found("\n" * 801)
    assert "file_length" not in found("\n" * 800)
    assert "columns" in found("// " + "a" * 98 + "\n")
    assert "columns" not in found("// " + "a" * 97 + "\n")


@pytest.mark.parametrize("opening", [
    "void f(int a) {", "Result<int> Table::find(Bytes key) const {",
    "Task<void> f() noexcept override {",
    "Server::Server(int a)\n    : a_(a), b_(2) {", "Server::Server(int a)\n    : a_{a} {",
    "A::A(int a) noexcept : a_(a), b_{[] { f(); }}, c_<int>{{1}, 2} {", "A(T t) : B<T>{t}, c_(1) {",
    "bool operator==(const A& a) {",
    "template <class T>\nauto f(T t) -> int {", "void f(Options options = {}) {",
])
def test_function_length(opening):
    lines = opening.count("\n") + 1

    def body(length):
        return f"namespace tandem {{\n{opening}\n" + "  g({1});\n" * (length - lines - 1) + "}\n}\n"

    assert "function_length" in found(body(71))
    assert "function_length" not in found(body(70))


def test_long_tables_and_classes_are_no_functions():
    assert "function_length" not in found("const Row kRows[] = {\n" + "  {f(1)},\n" * 90 + "};\n")
    methods = "  int f(int a) { return a; }\n" * 90
    assert "function_length" not in found("class A {\n" + methods + "};\n")


def test_python_function_length():
    assert "function_length" in found("def f():\n" + "    pass\n" * 70, "tests/a.py")
    assert "function_length" not in found("def f():\n" + "    pass\n" * 69, "tests/a.py")


@pytest.mark.parametrize("line", [
    "auto t = std::chrono::steady_clock::now();", "srand(1);", "int a = rand();",
    "std::random_device d;",
    "rand_r(&a);", "double d = drand48();", "std::default_random_engine engine;",
    "auto t = time(nullptr);", "std::time(nullptr);", "time(&now);",
    "connect(a, b, c);", "int r = ::bind(a, b, c);", "if (listen(a, 5) != 0) return;",
    "return accept(a, b, c);", "::send(a, b, c, 0);", "while (recv(a, b, c, 0) > 0) {}",
    "auto n = poll(a, 1, 0);", "#include <poll.h>",
    "#include <sys/un.h>", "#include <sys/socket.h>",
    "int s = socket(AF_INET, SOCK_STREAM, 0);", "epoll_wait(a, b, c, d);", "#include <uv.h>",
    "#include <fstream>", "int f = ::open(path, 0);", "std::this_thread::sleep_for(1s);",
    "usleep(1);",
    "sleep(1);", "thread.detach();", 'printf("a");', 'fprintf(stderr, "a");', "snprintf(b, 3, c);",
    "std::cout << 1;", "assert(a);", "#include <cassert>", "thread_local int a;",
])
def test_banned_calls(line):
    assert "banned_calls" in found(f"void f() {{\n{line}\n}}\n")


@pytest.mark.parametrize("line", [
    "static_assert(true);", "// call rand() never", 'reply("sleep(1)");', "co_await loop.sleep(1);",
    "Random random(seed);", "now();", "debug_sleep(a);", "friend bool operator==(A, B);",
    "stream->connect(a);", "connect();", "Task<void> connect(Address to);", "network::connect(a);",
    "tasks.spawn(accept(token));", "wire.send(a);", "uptime(nullptr);",
    "lifetime(a);",
])
def test_calls_that_are_not_banned(line):
    assert "banned_calls" not in found(f"void f() {{\n{line}\n}}\n")


def test_dynamic_cast():
    line = "auto* session = dynamic_cast<Session*>(&client);\n"
    assert "banned_calls" in found(line)
    assert "banned_calls" not in found(line, "src/engine/a_test.cc")
    assert "banned_calls" not in found(line, "bench/a.cc")
    assert "banned_calls" not in found("// no dynamic_cast here\n")


@pytest.mark.parametrize("line", [
    'if (command.row.name == "ping") return;', 'return "get" != command->row.name;',
    'if (command.full_name == "auth") return;', 'if (c.command.full_name != "x") return;',
    'if (command.name == "get") return;', 'equal_ignore_case(command.full_name, "get");',
    "std::ranges::find(names, command.full_name);", "const Bytes name = command.row.name;",
])
def test_commands_asked_for_by_name(line):
    text = f"void f() {{\n{line}\n}}\n"
    assert "command_names" in found(text)
    assert "command_names" not in found(text, "src/engine/command.cc")
    assert "command_names" not in found(text, "src/engine/a_test.cc")


@pytest.mark.parametrize("line", [
    "reply.bulk(command.full_name);", 'if (event.name == "command") return;',
    "glob_match(pattern, command.full_name, GlobCase::kIgnore);", "if (command.has(kA)) return;",
    'fmt::format("\'{}\'", command->full_name);', "figures.name = command.full_name;",
])
def test_names_of_commands_that_are_only_told(line):
    assert "command_names" not in found(f"void f() {{\n{line}\n}}\n")


@pytest.mark.parametrize("line", [
    "engine_.log.append(record, 0, {});", "log_.append_verbatim(raw);", "log->append(a, 0, b);",
    "control.log().append_verbatim(raw);",
])
def test_only_the_journal_appends_to_the_log(line):
    text = f"void f() {{\n{line}\n}}\n"
    assert "log_appenders" in found(text)
    assert "log_appenders" in found(text, "src/replication/a.cc")
    assert "log_appenders" not in found(text, rules.APPENDER)
    assert "log_appenders" not in found(text, "src/engine/a_test.cc")
    assert "log_appenders" not in found("void f() {\ncatalog.append(a);\nlog.end();\n}\n")


def circles_of(**sources):
    """Findings of files in src/engine, named like a_h, with what they include."""
    files = [rules.File(f"src/engine/{name.replace('_', '.')}", "".join(
                f'#include "engine/{target}.h"\n' for target in targets.split()), PARTS)
             for name, targets in sources.items()]
    return [message for _, _, _, message in rules.check_tree(files)]


def test_header_circles():
    assert circles_of(a_h="b", b_h="", a_cc="a b", b_cc="b") == []
    assert circles_of(a_h="b", b_h="a") == ["a circle of includes: engine/a, engine/b"]
    assert circles_of(a_h="b", b_h="c", c_h="a", d_h="a c") == [
        "a circle of includes: engine/a, engine/b, engine/c"]
    # A header that another's source needs, and that needs its header, is a part of it.
    assert circles_of(a_h="b", b_h="", b_cc="b a") == ["a circle of includes: engine/a, engine/b"]
    assert len(circles_of(a_h="b", b_h="a", c_h="d", d_h="c")) == 2


def test_friends_live_in_the_same_file():
    assert "friends" in found("class A {\n  friend class B;\n};\n")
    assert "friends" not in found("class A {\n  friend class B;\n};\nclass B {\n};\n")


def test_banned_calls_have_a_home():
    assert "banned_calls" not in found("int s = socket(1);\n", "src/io/a.cc")
    assert "banned_calls" not in found("auto t = steady_clock::now();\n", "src/base/clock.cc")
    assert "banned_calls" not in found("nanosleep(&a, nullptr);\n", "src/base/thread.cc")


@pytest.mark.parametrize("line", [
    "int counter = 0;", "std::atomic<int> counter;", "std::map<int, int> table{};",
    "Server* server;",
    "void f() {\n  static int calls = 0;\n}", "static std::string name;", "char buffer[10];",
])
def test_mutable_globals(line):
    assert "mutable_globals" in found(f"namespace tandem {{\n{line}\n}}\n")


@pytest.mark.parametrize("line", [
    "constexpr int kA = 1;", "const Row kRows[] = {{1}};", "inline constexpr char kA[] = \"a\";",
    "void f() {\n  static const int a = 1;\n  int b = 2;\n}",
    "class A {\n  int a_ = 1;\n};", "int f(int a);",
    "using A = B;", "static int f(int a) { return static_cast<int>(a); }", "enum class A { kB };",
    "class B;", "TEST(A, b) { int c; }", 'extern "C" int f(int a) {\n  int b;\n}',
    "static constexpr int kA = 1;",
    "struct A {} __attribute__((x));",
])
def test_constants_are_no_mutable_globals(line):
    assert "mutable_globals" not in found(f"namespace tandem {{\n{line}\n}}\n")


def test_marks_of_unfinished_work():
    assert "unfinished" in found("// TO" + "DO: later\n")
    assert "unfinished" not in found("// todos los santos; mkstemp XXXXXX\n")


def test_paths_and_numbers_of_elsewhere():
    assert "own_world" in found("// see /wor" + "k/notes\n")
    assert "own_world" not in found("// see docs/\n")


def test_python_waits():
    assert "python_waits" in found("time.sle" + "ep(1)\n", "tests/test_a.py")
    assert "python_waits" not in found("wait_until(f)\n", "tests/test_a.py")


def test_code_only_keeps_places():
    text = 'a("x // y"); // z\nR"(\n{)" \'{\' 1\'000 b\n'
    code = code_only(text)
    assert len(code) == len(text) and code.count("\n") == text.count("\n")
    assert "x" not in code and "z" not in code and "{" not in code and code.rstrip().endswith("b")


def test_a_type_with_attributes_is_no_function():
    functions, _ = outline(code_only('class CAPABILITY("x") A {\n  void b() {\n  }\n};\n'))
    assert [function.name for function in functions] == ["b"]


def test_outline_names_functions():
    functions, _ = outline(code_only("int A::b(int c) {\n  if (c) {\n  }\n}\nvoid d() {}\n"))
    assert [(f.name, f.lines) for f in functions] == [("A::b", 4), ("d", 1)]
