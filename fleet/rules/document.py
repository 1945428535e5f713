"""A YAML file of rules with its places kept, so that every problem has a line and a column."""

import difflib
import functools
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import yaml

from fleet.rules import duration
from fleet.rules.errors import Problem

_NO_TIME = timedelta()
_TAG = "tag:yaml.org,2002:"
_KIND_NAMES = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}


class Source:
    """One file: its text, its YAML nodes, and the problems found in it so far."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        """With a text, `path` is but what it is called."""
        self.name = str(path)
        self.problems: list[Problem] = []
        self._text = text or ""
        self.root = self._compose(path, read=text is None)

    def _compose(self, path: Path, *, read: bool) -> yaml.Node | None:
        try:
            if read:
                self._text = path.read_text(encoding="utf-8")
            root = _composed(self._text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.report(line, column, f"not YAML: {error.problem or error.context}")
        except RecursionError:
            self.report(1, 1, "cannot be read: nested too deep")
        except UnicodeDecodeError:
            self.report(1, 1, "cannot be read: not UTF-8")
        except (yaml.YAMLError, OSError) as error:
            self.report(1, 1, f"cannot be read: {error}")
        else:
            if root is None:
                self.report(1, 1, "is empty", "it begins with version: and rules:")
            return root
        return None

    def report(self, line: int, column: int, message: str, suggestion: str | None = None) -> None:
        """Note a problem at a line and column, counted from 1."""
        self.problems.append(Problem(self.name, line, column, message, suggestion))

    def report_at(self, node: yaml.Node, message: str, suggestion: str | None = None) -> None:
        """Note a problem at a node."""
        self.report(node.start_mark.line + 1, node.start_mark.column + 1, message, suggestion)

    def place_inside(self, node: yaml.ScalarNode, line: int, column: int) -> tuple[int, int]:
        """Where in the file a line and column of a scalar's own text stand, all from 1.

        YAML folds and indents text, but never changes what is not white space: so the place is
        found by counting the visible characters before it.
        """
        lines = node.value.splitlines(keepends=True)
        before = "".join(lines[: line - 1]) + "".join(lines[line - 1 : line])[: column - 1]
        at = node.start_mark.index
        if node.style in ("|", ">"):
            at = self._text.index("\n", at)
        elif node.style:
            at += 1
        for seen in _visible(before):
            found = self._text.find(seen, at)
            if found < 0:  # written with an escape
                return node.start_mark.line + 1, node.start_mark.column + 1
            at = found + (2 if seen == node.style == "'" else 1)
        while self._text[at : at + 1].isspace():
            at += 1
        return self._text.count("\n", 0, at) + 1, at - self._text.rfind("\n", 0, at)


@functools.lru_cache(maxsize=64)
def _composed(text: str) -> yaml.Node | None:
    """The nodes of a text, which nobody changes; files are read far more often than they change.

    PyYAML's loader in C would be faster, but a text nested deep enough ends the process there.
    """
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _visible(text: str) -> Iterator[str]:
    return (character for character in text if not character.isspace())


class Fields:
    """The fields of one mapping; each getter notes what is wrong and then yields a stand-in.

    Whoever builds something from stand-ins looks at `sound` before keeping it.
    """

    def __init__(self, source: Source, node: yaml.Node | None, known: Sequence[str]) -> None:
        self.source = source
        self.node = node
        self._already = len(source.problems)
        self._nodes: dict[str, yaml.Node] = {}
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._add(key, value, known)
        elif node is not None:
            source.report_at(node, "must be a mapping of fields", f"such as {known[0]}: …")

    def _add(self, key: yaml.Node, value: yaml.Node, known: Sequence[str]) -> None:
        name = str(key.value)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            self.source.report_at(key, f"unknown field {name}", hint)
        elif name in self._nodes:
            self.source.report_at(key, f"{name} stands twice")
        else:
            self._nodes[name] = value

    @property
    def sound(self) -> bool:
        """Whether nothing was found wrong in the source since these fields were opened."""
        return self.node is not None and len(self.source.problems) == self._already

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def node_of(self, key: str) -> yaml.Node | None:
        """The node of a field, or None where it is absent."""
        return self._nodes.get(key)

    def report(self, key: str, message: str, suggestion: str | None = None) -> None:
        """Note a problem at a field's value, or at the mapping where the field is absent."""
        node = self._nodes.get(key, self.node)
        if node is not None:
            self.source.report_at(node, message, suggestion)

    def members(self, key: str) -> tuple[yaml.Node, ...]:
        """The nodes of a list; none where the field is absent."""
        node = self._nodes.get(key)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.source.report_at(node, f"{key} must be a list", f"{key}: [ … ]")
            return ()
        return tuple(node.value)

    def pairs(self, key: str) -> tuple[tuple[yaml.Node, yaml.Node], ...]:
        """The keys and values of a mapping; none where the field is absent."""
        node = self._nodes.get(key)
        if node is None:
            return ()
        if not isinstance(node, yaml.MappingNode):
            self.source.report_at(node, f"{key} must be a mapping", f"{key}: {{ … }}")
            return ()
        return tuple(node.value)

    def inner(self, key: str, known: Sequence[str]) -> "Fields | None":
        """The fields of a mapping inside; None where the field is absent."""
        node = self._nodes.get(key)
        return None if node is None else Fields(self.source, node, known)

    def scalar(self, key: str, kind: str = "str") -> yaml.ScalarNode | None:
        """The node of a required scalar of a YAML kind; `float` takes whole numbers too."""
        node = self._nodes.get(key)
        if node is None:
            self.report(key, f"{key} is missing")
            return None
        return self._checked(key, node, kind)

    def _checked(self, key: str, node: yaml.Node, kind: str) -> yaml.ScalarNode | None:
        found = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.ScalarNode) and (
            found == kind or (found, kind) == ("int", "float")
        ):
            return node
        hint = "put it in quotes" if kind == "str" and isinstance(node, yaml.ScalarNode) else None
        self.source.report_at(node, f"{key} must be {_KIND_NAMES[kind]}", hint)
        return None

    def text(self, key: str) -> str:
        """A required text that is not blank."""
        node = self.scalar(key)
        if node is not None and not node.value.strip():
            self.report(key, f"{key} is blank")
        return "" if node is None else " ".join(node.value.split())

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where the field is absent."""
        nodes = (self._checked(key, node, "str") for node in self.members(key))
        return tuple(node.value for node in nodes if node is not None)

    def choices(self, key: str, options: Iterable[str]) -> tuple[str, ...]:
        """A list of texts that are each one of the options; empty where the field is absent."""
        known = tuple(options)
        self.refuse_others(key, known)
        return tuple(text for text in self.texts(key) if text in known)

    def refuse_others(self, key: str, known: Sequence[str]) -> None:
        """Note each text in a list that is none of those known."""
        for node in self.members(key):
            if isinstance(node, yaml.ScalarNode) and node.value not in known:
                self.source.report_at(
                    node, f"{key} cannot name {node.value}", nearest(node.value, known)
                )

    def choice(self, key: str, options: Iterable[str]) -> str:
        """A required text that is one of the options; the last of them stands in."""
        node = self.scalar(key)
        known = tuple(options)
        if node is not None and node.value in known:
            return str(node.value)
        if node is not None:
            self.source.report_at(node, f"{key} cannot be {node.value}", nearest(node.value, known))
        return known[-1]

    def switch(self, key: str, *, default: bool) -> bool:
        """True or false; the default where the field is absent."""
        node = self.scalar(key, "bool") if key in self else None
        return default if node is None else node.value.lower() in ("true", "yes", "on")

    def whole(self, key: str, low: int, high: int) -> int:
        """A required whole number between two others, both included."""
        node = self.scalar(key, "int")
        value = int(node.value.replace("_", ""), 0) if node is not None else low
        if not low <= value <= high:
            self.report(key, f"{key} must be from {low} to {high}")
        return value

    def share(self, key: str) -> float:
        """A required share: above 0, at most 1."""
        node = self.scalar(key, "float")
        value = float(node.value) if node is not None else 1.0
        if not 0 < value <= 1:
            self.report(key, f"{key} must be above 0 and at most 1", "0.4 is 40%")
        return value

    def amount(self, key: str) -> float:
        """A required number above 0."""
        node = self.scalar(key, "float")
        value = float(node.value) if node is not None else 1.0
        if value <= 0:
            self.report(key, f"{key} must be above 0")
        return value

    def duration(self, key: str, least: timedelta = _NO_TIME) -> timedelta:
        """A duration; none where the field is absent."""
        node = self._nodes.get(key)
        if node is None:
            return _NO_TIME
        try:
            found = duration.parse(str(node.value))
        except ValueError as error:
            self.source.report_at(node, f"{key}: {error}")
            return least
        if found < least:
            self.source.report_at(node, f"{key} must be {duration.render(least)} or more")
        return found


def nearest(value: str, known: Sequence[str]) -> str:
    """A suggestion in place of a value that is none of those known."""
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
