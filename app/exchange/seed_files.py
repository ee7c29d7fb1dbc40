"""Seed files: YAML in which every scalar is a string and every key keeps its line, so that errors can name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from app.errors import InvalidValue

Lines = dict[str, int]


class SeedRefused(InvalidValue):
    """The seeds are not loaded: `file` (`seeds/cities.yaml`), `line` from 1 (None: the file as a whole) and
    `field` (None: the row as a whole) say where; the message begins with them."""

    def __init__(self, message: str, *, file: str, line: int | None = None, field: str | None = None) -> None:
        place = [file, None if line is None else f"line {line}", field]
        super().__init__(f"{', '.join(filter(None, place))}: {message}", field=field)
        self.file = file
        self.line = line


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file. `lines`: path (`events/1/date`) → line; the row's own under the empty path."""

    file: str
    values: dict[str, Any]
    lines: Lines


def read(path: Path) -> Iterator[Row]:
    """The rows of a seed file. Raises SeedRefused for what is no YAML list of mappings."""
    file = f"{path.parent.name}/{path.name}"
    root = _composed(path, file)
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise SeedRefused("The file must be a list: each row begins with a dash.", file=file, line=_line(root))
    seen: set[int] = set()
    for node in root.value:
        plain = _Plain(file, seen)
        values = plain.value(node, "")
        if not isinstance(values, dict):
            raise SeedRefused("A row is a mapping: `key: value`, line by line.", file=file, line=_line(node))
        yield Row(file, values, plain.lines)


def _composed(path: Path, file: str) -> yaml.Node | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SeedRefused("The file cannot be read. An empty one will do.", file=file) from error
    try:
        # BaseLoader knows strings only: Norway stays NO, and a year is what was typed.
        root: yaml.Node | None = yaml.compose(data.decode(), Loader=yaml.BaseLoader)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SeedRefused("The file must be UTF-8.", file=file, line=line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"This is no YAML: {error.problem or error.context}."
        raise SeedRefused(message, file=file, line=mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = data.decode().count("\n", 0, error.position) + 1
        raise SeedRefused("This character may not stand in YAML. Remove it.", file=file, line=line) from None
    return root


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


@dataclass(slots=True)
class _Plain:
    """Turns a row's nodes into dicts, lists and strings, and notes the line of each."""

    file: str
    seen: set[int]
    lines: Lines = field(default_factory=dict)

    def value(self, node: yaml.Node, path: str) -> Any:
        if id(node) in self.seen:
            self._refuse(
                "Write this out: a reference to another place of the file (&, *) is not read here.", node, path
            )
        self.seen.add(id(node))
        self.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, under(path, place)) for place, each in enumerate(node.value)]
        return node.value

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse("A key must be a plain word.", key, path)
            at = under(path, key.value)
            self.lines[at] = _line(key)
            if key.value in values:
                self._refuse("This key stands here twice: leave one of them out.", key, at)
            values[key.value] = self.value(value, at)
        return values

    def _refuse(self, message: str, node: yaml.Node, path: str) -> None:
        raise SeedRefused(message, file=self.file, line=self.lines.get(path, _line(node)), field=path or None)


def under(path: str, key: int | str) -> str:
    """The path one step further down."""
    return f"{path}/{key}" if path else str(key)
