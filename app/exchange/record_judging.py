"""What a row adds to a city, program, organisation or source: the same rules as for partnerships.

A field that the record does not fill is filled, a child row that it does not have is added, and a value that differs
becomes a citation, so that the conflict is shown. Nothing is overwritten. Sources cannot be cited: a row that
contradicts one is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain import conflicts, fuzzy_dates
from app.domain.geography import great_circle_km
from app.domain.names import fold
from app.errors import InvalidValue
from app.models import RECORDS
from app.registry.content import Content

#: Two pairs of coordinates this near are one place: which of them is better is not for an import to say.
SAME_SPOT_KM = 5.0
#: Part → what tells its rows from one another.
PART_KEYS = {
    "names": ("text", "language"),
    "identifiers": ("scheme", "value"),
    "populations": ("year",),
    "participants": ("organisation",),
}
#: Where the content calls a field of a part otherwise than an operation does.
COLUMNS = {name: f"{name}_id" for name in ("organisation", "city", "partnership", "part_of")}
#: And in a citation.
CITED = {"source": "source_id", "city": "value_city_id"}
LONGEST_CLAIM = 1_000
#: A source: its number in the staging, and where in it.
Sources = Sequence[tuple[int, str | None]]


@dataclass(slots=True)
class Draft:
    """What is to be written of a record: `own` fields and rows of `parts`, as its operations take them; sources by
    their numbers in the staging, cities by theirs."""

    noun: str
    own: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For the staging."""
        return {"noun": self.noun, "own": self.own, "parts": self.parts}

    def under(self, content: Content | None) -> Content:
        """The content as it will be: what is known, and this draft upon it."""
        merged = dict(content or {}) | {COLUMNS.get(name, name): value for name, value in self.own.items()}
        for part, rows in self.parts.items():
            columns = CITED if part == "citations" else COLUMNS
            told = [{columns.get(name, name): value for name, value in row.items()} for row in rows]
            merged[part] = [*merged.get(part, ()), *told]
        return merged


@dataclass(frozen=True, slots=True)
class Addition:
    """The draft with what the row adds; what that is, and where record and row differ, in words."""

    draft: Draft
    added: tuple[str, ...]
    differs: tuple[str, ...]


def new(noun: str, own: Mapping[str, Any], parts: Mapping[str, Any], sources: Sources) -> Draft:
    """The draft of a new record, cited for its name."""
    draft = Draft(noun, dict(own), {part: list(rows) for part, rows in parts.items() if rows})
    if citable(noun):
        cited = [_citation(source, "name", None) for source in sources]
        if cited:
            draft.parts["citations"] = cited
    return draft


def citable(noun: str) -> bool:
    """Whether sources can be cited for records of the noun."""
    return noun in conflicts.FIELD_TYPES


def add(
    draft: Draft, content: Content | None, own: Mapping[str, Any], parts: Mapping[str, Any], sources: Sources
) -> Addition:
    """What a row adds to a record of this content (None: a new one) and the draft that there is of it already.
    Raises InvalidValue where a row contradicts what cannot be cited."""
    adding = _Adding(Draft(draft.noun, dict(draft.own), {part: [*rows] for part, rows in draft.parts.items()}), content)
    for name, value in own.items():
        adding.take(name, value, own, sources)
    for part, rows in parts.items():
        adding.take_rows(part, rows, sources)
    if citable(draft.noun):
        adding.cite("name", None, sources)
    return Addition(adding.draft, tuple(dict.fromkeys(adding.added)), tuple(adding.differs))


@dataclass(slots=True)
class _Adding:
    """A record while a row is added to it."""

    draft: Draft
    content: Content | None
    added: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)

    def known(self) -> Content:
        return self.draft.under(self.content)

    def take(self, name: str, value: Any, said: Mapping[str, Any], sources: Sources) -> None:
        known = self.known()
        recorded = known.get(COLUMNS.get(name, name))
        if recorded is None:
            self.draft.own[name] = value
            self.added.append(f"the {name.replace('_', ' ')}")
        elif not self._says(name, recorded, value, known, said):
            self._contradict(name, recorded, value, sources)

    def _says(self, name: str, recorded: Any, value: Any, known: Content, said: Mapping[str, Any]) -> bool:
        """Whether the record says the same, as far as an import tells things apart."""
        if recorded == value:
            return True
        if name in ("latitude", "longitude"):
            return _one_spot(known, said)
        if name in RECORDS[self.draft.noun].DATES:
            return fuzzy_dates.may_coincide(fuzzy_dates.parse(recorded), fuzzy_dates.parse(value))
        if name == "name":
            names = [recorded, *(row["text"] for row in known.get("names", ()))]
            return fold(value) in map(fold, names)
        return False

    def _contradict(self, name: str, recorded: Any, value: Any, sources: Sources) -> None:
        if self.draft.noun == "cities" and name == "name":
            # Another name for a city that was found by its identifier: no conflict, a name more.
            self.take_rows("names", [{"text": value, "language": "und", "kind": "exonym"}], sources)
            return
        if not citable(self.draft.noun):
            raise InvalidValue(
                f"The registry has another {name.replace('_', ' ')} here, and an import overwrites nothing: mend the"
                " record by hand, or the row.",
                field=name,
            )
        self.differs.append(f"{name.replace('_', ' ')} is {recorded} here, {value} in the row")
        if name in conflicts.FIELD_TYPES[self.draft.noun]:
            self.cite(name, value, sources)

    def take_rows(self, part: str, rows: Iterable[Mapping[str, Any]], sources: Sources) -> None:
        for row in rows:
            known = self.known()
            same = [each for each in known.get(part, ()) if _key(part, each) == _key(part, row)]
            if not same and not (part == "names" and fold(row["text"]) == fold(known.get("name", ""))):
                self.draft.parts.setdefault(part, []).append(dict(row))
                self.added.append(_told(part, row))
            elif part == "populations" and same and same[0]["people"] != row["people"]:
                year = row.get("year")
                self.differs.append(f"{same[0]['people']:,} people here, {row['people']:,} in the row")
                self.cite("populations" if year is None else f"populations/{year:04}", row["people"], sources)

    def cite(self, name: str, value: Any, sources: Sources) -> None:
        """Keep what the sources say of a field, unless they have said so."""
        city = isinstance(value, int) and conflicts.field_type(self.draft.noun, name) == "city"
        text = None if value is None or city else str(value)[:LONGEST_CLAIM]
        for source in sources:
            cited = (
                (row["source_id"], row["field"], row.get("value"))
                for row in self.known().get("citations", ())
                if value is not None or row["field"] == name
            )
            told = (source[0], name, text)
            if any(each == told or (value is None and each[:2] == told[:2]) for each in cited):
                continue
            self.draft.parts.setdefault("citations", []).append(_citation(source, name, text, value if city else None))
            self.added.append(f"a citation for {name.replace('_', ' ')}")


def _citation(source: tuple[int, str | None], name: str, value: str | None, city: int | None = None) -> dict[str, Any]:
    told = {"source": source[0], "field": name, "value": value, "city": city, "locator": source[1]}
    return {key: each for key, each in told.items() if each is not None}


def _key(part: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    found = tuple(row.get(name, row.get(COLUMNS.get(name, name))) for name in PART_KEYS[part])
    return (fold(found[0]),) if part == "names" else found


def _told(part: str, row: Mapping[str, Any]) -> str:
    shown = {"names": "text", "populations": "people", "participants": "organisation"}
    value = ":".join((row["scheme"], row["value"])) if part == "identifiers" else row[shown[part]]
    return f"{part.removesuffix('s')} {value}"


def _one_spot(known: Content, said: Mapping[str, Any]) -> bool:
    here, there = ((each.get("latitude"), each.get("longitude")) for each in (known, said))
    if None in here or None in there:
        return False
    return great_circle_km(*here, *there) <= SAME_SPOT_KM
