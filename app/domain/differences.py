"""What changed between two contents of one record: by part, for undo; in words, for a history people read.

Content is a JSON object of own fields and, under names of parts, lists of child rows with ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Content = Mapping[str, Any]
#: (column, key) → the name of the record that it means, or None
Label = Callable[[str, Any], str | None]
#: Names a child row in a sentence: the first of these fields that it has.
TELLING = ("text", "title", "type", "scheme", "field", "role", "people", "city_id", "organisation_id")


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs. `part`: an own field (`note`) or a child row (`events/12`); None: not there."""

    part: str
    before: Any
    after: Any


def between(before: Content | None, after: Content | None) -> list[Difference]:
    """All parts in which the two differ, own fields first, then child rows in order of their ids."""
    old, new = _parts(before or {}), _parts(after or {})
    return [
        Difference(part, old.get(part), new.get(part))
        for part in sorted({*old, *new}, key=_order)
        if old.get(part) != new.get(part)
    ]


def describe(
    before: Content | None, after: Content | None, *, label: Label = lambda _name, _key: None
) -> list[dict[str, Any]]:
    """The differences, JSON-ready: part, before, after, and a sentence in `text`. `label` names the record that a
    column such as `city_id` means; where it gives None, the number stands."""
    if after is None:
        return [{"part": "record", "before": None, "after": None, "text": "deleted"}]
    return [
        {"part": each.part, "before": each.before, "after": each.after, "text": _Words(label).sentence(each)}
        for each in between(before, after)
        if each.part not in {"id", "code"}
    ]


@dataclass(frozen=True, slots=True)
class _Words:
    """Sentences: `note: "a" → "b"`; `events added: signed, date 1973`; of a child row that changed, what did."""

    label: Label

    def sentence(self, difference: Difference) -> str:
        """One difference."""
        if isinstance(difference.before, Mapping) or isinstance(difference.after, Mapping):
            return self._of_row(difference)
        name = difference.part
        return f"{_words(name)}: {self._value(name, difference.before)} → {self._value(name, difference.after)}"

    def _of_row(self, difference: Difference) -> str:
        noun = _words(difference.part.split("/")[0])
        before, after = difference.before, difference.after
        if before is None:
            return f"{noun} added: {self._row(after)}"
        if after is None:
            return f"{noun} removed: {self._row(before)}"
        changed = (
            f"{_words(name)} {self._value(name, before.get(name))} → {self._value(name, after.get(name))}"
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        )
        return f"{noun} changed ({self._row(before)}): {', '.join(changed)}"

    def _row(self, row: Content) -> str:
        telling = next((name for name in TELLING if name in row), None)
        first = [] if telling is None else [self._telling(telling, row[telling])]
        rest = (
            f"{_words(name)} {self._named(name, row[name])}"
            for name in sorted(row)
            if name not in {telling, "id", "position"}
        )
        return ", ".join([*first, *rest])

    def _telling(self, name: str, value: Any) -> str:
        bare = name in {"type", "text"} or self.label(name, value) is not None
        return str(self._named(name, value)) if bare else f"{_words(name)} {value}"

    def _named(self, name: str, value: Any) -> Any:
        return self.label(name, value) or value

    def _value(self, name: str, value: Any) -> str:
        if value is None:
            return "(none)"
        named = self.label(name, value)
        return named or (f'"{value}"' if isinstance(value, str) else str(value))


def _words(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ")


def _parts(content: Content) -> dict[str, Any]:
    return dict(_each_part(content))


def _each_part(content: Content) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, list):
            yield from ((f"{name}/{row['id']}", row) for row in value)
        else:
            yield name, value


def _order(part: str) -> tuple[bool, str, int]:
    name, _, row = part.partition("/")
    return bool(row), name, int(row or 0)
