"""Just enough C++ reading for the rules: code without comments and strings, and its functions."""
import bisect
import re
from dataclasses import dataclass

# Comments, raw strings, strings and characters; a digit separator (1'000) is no character literal.
_NOT_CODE = re.compile(
    r"""//(?:[^\n\\]|\\.)*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|"""
    r"""(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.S,
)


def code_only(text):
    """The text with every comment and literal blanked; lines and columns stay where they were."""

    def blank(match):
        found = match.group()
        spaces = re.sub(r"[^\n]", " ", found)
        if found[0] in "\"'" and len(found) >= 2:
            return found[0] + spaces[1:-1] + found[-1]
        return spaces

    return _NOT_CODE.sub(blank, text)


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int

    @property
    def lines(self):
        return self.last_line - self.first_line + 1


@dataclass
class Statement:
    """One declaration at namespace level, up to its semicolon or brace."""

    text: str
    line: int


def outline(code):
    """(functions, statements at namespace level) of code that went through code_only()."""
    directive = r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*"
    code = re.sub(directive, lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.M)
    newlines = [match.start() for match in re.finditer("\n", code)]

    def line_at(position):
        return bisect.bisect_left(newlines, position) + 1

    functions, statements, stack = [], [], []
    head_start = 0
    for match in re.finditer(r"[;{}]", code):
        at, sign = match.start(), match.group()
        head = code[head_start:at].strip()
        first = at - len(code[head_start:at].lstrip())
        if sign == "{" and _initialises_member(head, stack):
            stack.append(("initialiser", head, at))
            continue
        if sign == "}" and stack and stack[-1][0] == "initialiser":
            # As if it were in parentheses, so that the constructor's head goes on.
            opened_at = stack.pop()[2]
            code = f"{code[:opened_at]}({code[opened_at + 1:at]}){code[at + 1:]}"
            continue
        if sign == "{":
            kind = _kind(head, stack)
            stack.append((kind, head, first))
            if kind == "value" and _at_namespace(stack[:-1]):
                statements.append(Statement(head, line_at(first)))
        elif sign == "}" and stack:
            kind, opened, opened_at = stack.pop()
            if kind == "function":
                functions.append(Function(_name(opened), line_at(opened_at), line_at(at)))
        elif sign == ";" and head and _at_namespace(stack):
            statements.append(Statement(head, line_at(first)))
        if not any(kind == "initialiser" for kind, _, _ in stack):
            head_start = at + 1
    return functions, statements


def _at_namespace(stack):
    return all(kind == "namespace" for kind, _, _ in stack)


def _is_inside(stack):
    return any(kind in ("function", "inside", "value", "initialiser") for kind, _, _ in stack)


def _initialises_member(head, stack):
    """Whether a brace after this head is that of `: member_{...}` in a constructor's head."""
    is_type = re.match(r"(template\s*<.*>\s*)?(class|struct|union|enum)\b", head, re.S)
    if is_type or _is_inside(stack):
        return False
    return re.search(r"\).*(?<!:):(?!:).*[\w>]\s*$", head, re.S) is not None


def _kind(head, stack):
    if _is_inside(stack):
        return "inside"
    head = re.sub(r"^(class|struct) [A-Z_]+\([^)]*\)", r"\1", head)  # a macro of attributes
    if re.search(r"\bnamespace\b", head) or re.fullmatch(r'extern\s+"\s*"', head):
        return "namespace"
    takes_arguments = re.search(r"\)[\w\s:&\-<>,*()]*$", head)
    is_assigned = re.search(r"(?<![=!<>])=(?!=)", head.split("(")[0])
    if takes_arguments and (not is_assigned or "operator" in head):
        return "function"
    if re.search(r"\b(class|struct|union|enum|concept)\b", head):
        return "type"
    return "value"


def _name(head):
    found = re.search(r"([\w:~]+|operator\S+)\s*\(", head)
    return found.group(1) if found else head[:40]
