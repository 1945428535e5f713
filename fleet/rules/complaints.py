"""The compiler's complaints in the words of someone who writes rules, with a suggestion."""

import difflib
import re
from collections.abc import Mapping

from fleet.rules.errors import ConditionError
from fleet.rules.expression import Complaint
from fleet.rules.inputs import EACH, owner, readable
from fleet.vocabulary import PROPERTIES, Property

_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\((.*)\)'")
_EXPECTING = re.compile(r" expecting (\{.*\}|<EOF>)$")
_OPEN_QUOTE = re.compile(r"token recognition error at: '(['\"])(?!.*\1.).*", re.DOTALL)
_TYPE_NAMES = {
    "string": "text",
    "int": "a whole number",
    "double": "a number with a fraction",
    "bool": "true or false",
    "list(string)": "a list of texts",
    "list(int)": "a list of whole numbers",
    "list(double)": "a list of numbers with fractions",
    "list(bool)": "a list of true and false",
}


def explain(complaint: Complaint, text: str, each: str | None) -> ConditionError:
    """The error that a complaint about a condition's text amounts to."""
    if name := _UNDECLARED.search(complaint.message):
        return _undeclared(name[1], complaint, text, each)
    if overload := _OVERLOAD.search(complaint.message):
        message, suggestion = _overload(overload[1], overload[2])
    elif complaint.message.startswith("Syntax error"):
        message, suggestion = _syntax(complaint.message)
    else:
        message, suggestion = complaint.message, None
    return ConditionError(message, complaint.line, complaint.column, suggestion)


def _undeclared(name: str, complaint: Complaint, text: str, each: str | None) -> ConditionError:
    column = _start(name, complaint, text)
    known = readable(each)
    message = f"{name} is not a property of the contract"
    if each is not None:
        message = f"{name} is not a property of a member of {each}"
    suggestion = _quoted(name) or _elsewhere(name, each) or _nearest(name, known)
    return ConditionError(message, complaint.line, column, suggestion)


def _start(name: str, complaint: Complaint, text: str) -> int:
    """Where a dotted name begins; the compiler points at its last dot."""
    lines = text.splitlines()
    line = lines[complaint.line - 1] if complaint.line <= len(lines) else ""
    found = line.find(name, max(0, complaint.column - 1 - len(name)))
    return found + 1 if 0 <= found < complaint.column else complaint.column


def _quoted(name: str) -> str | None:
    is_value = any(name in known.values for known in PROPERTIES.values())
    return f"text stands in quotes: '{name}'" if is_value else None


def _elsewhere(name: str, each: str | None) -> str | None:
    """The name is right, but not under this `each`."""
    if each is not None and name in readable(None):
        return f"with each: {each} a condition reads only {EACH[each]}.…"
    for known in PROPERTIES.values():
        listed, bare = owner(known), known.path.replace("[]", "")
        member = bare.removeprefix(f"{listed}.")
        if listed is None or listed == each:
            continue
        if name in (bare, known.path, f"{EACH[listed]}.{member}"):
            return f"add each: {listed} and write {EACH[listed]}.{member}"
    return None


def _nearest(name: str, known: Mapping[str, Property]) -> str | None:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else None


def _overload(function: str, types: str) -> tuple[str, str | None]:
    operator = function.strip("_@")
    arguments = re.findall(r"list\(\w+\)|\w+", types)
    named = " and ".join(_TYPE_NAMES.get(one, one) for one in arguments)
    message = f"{operator} does not go with {named}"
    if "double" in types and "int" in types:
        fraction_wanted = arguments[0] == "double"
        return message, "write 60.0, not 60" if fraction_wanted else "write 60, not 60.0"
    return message, None


def _syntax(message: str) -> tuple[str, str | None]:
    problem = _EXPECTING.sub("", message.removeprefix("Syntax error: "))
    if problem == "mismatched input '<EOF>'":
        return "the condition ends too early", None
    if problem.startswith("token recognition error at: '= "):
        return "= compares nothing", "write =="
    if _OPEN_QUOTE.fullmatch(problem):
        return "text without its closing quote", None
    return f"syntax: {problem}", None
