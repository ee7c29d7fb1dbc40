"""Seeds: a folder of readable YAML files becomes one revision, by the same operations as every entrance.

What is there already is left alone, so that seeding again adds only what is new and no person's edit is
lost. The first bad row refuses everything, and says in which file, line and field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.domain import identifiers
from app.domain.names import nearest
from app.errors import InvalidValue, RegistryError, UnknownReference
from app.exchange.seed_files import Row, SeedRefused, read, under
from app.exchange.seed_records import (
    OPERATIONS,
    SEEDS,
    Identity,
    Key,
    Seeded,
    identity_of,
    seeded,
    standing,
    survivor,
    told_of,
)
from app.models import PARTS, RECORDS, City, Member, Partnership
from app.registry import Database, cities, fields, journal, migrating, partnerships, records
from app.registry.database import WritingSession
from app.registry.fields import Context, Field


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What seeding did. `revision` None: nothing was missing. Noun → rows added, rows that were there."""

    revision: int | None
    added: dict[str, int]
    same: dict[str, int]


def seed(database: Database, folder: Path | None = None) -> SeedReport:
    """Load the seeds as one revision; what is there already stays as it is.

    folder: one YAML file a noun (`seeds/README.md` has the format); default: the seeds that come with the
    program. Raises SeedRefused, and nothing is loaded.
    """
    folder = folder or migrating.resource("seeds")
    # Read before the write lock is taken.
    files = {noun: list(read(folder / f"{noun}.yaml")) for noun in RECORDS}
    files[City.NOUN] = _in_order(files[City.NOUN])
    with database.writing(account=SEEDS, reason=SEEDS) as session:
        loading = _Loading(session, seeded=seeded(session))
        for noun, rows in files.items():
            for row in rows:
                _load(loading, noun, row)
        revision = session.revision if journal.commit(session) else None
    return SeedReport(revision, loading.added, loading.same)


def seed_if_empty(database: Database) -> SeedReport | None:
    """Load the program's seeds into a registry that was never written to; None where it was."""
    with database.reading() as session:
        if session.number() > 0:
            return None
    return seed(database)


#: What the files say otherwise than the operations do: keys that they have besides, and have not.
BESIDES = {"cities": {"ref"}, "organisations": {"ref"}, "programs": {"kind"}, "reported_figures": {"countries"}}
NOT_HERE = {"partnerships": {"succeeds"}, "reported_figures": {"country", "other_country"}}
#: Where an operation's field stands in the file.
ELSEWHERE = {"reported_figures": {"country": "countries/0", "other_country": "countries/1"}}
TEXT_LISTS = {"aliases", "identifiers", "members", "partnership", "countries"}
MOST_COUNTRIES = 2
#: Keys whose value is the handle of a row of that file.
POINTERS = {
    "part_of": "cities", "city": "cities", "members": "cities", "partnership": "cities", "side": "cities",
    "origin": "cities", "host": "cities", "declared_by": "cities", "in_place_of": "cities",
    "organisation": "organisations", "source": "sources",
}  # fmt: skip
HANDLES = {"cities": "ref", "organisations": "ref", "sources": "key"}
_AS_IT_IS = Field(lambda _context, value, _field: value)


def _nothing() -> dict[str, int]:
    return dict.fromkeys(RECORDS, 0)


@dataclass(slots=True)
class _Loading:
    """What is known while the rows are loaded. `agreements`: members and kind of each partnership → its id;
    `made`: the row that made a record."""

    session: WritingSession
    seeded: Seeded
    handles: dict[str, dict[str, int]] = field(default_factory=lambda: {noun: {} for noun in HANDLES})
    agreements: set[tuple[frozenset[int], str, int]] = field(default_factory=set)
    made: dict[tuple[str, Key], Row] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=_nothing)
    same: dict[str, int] = field(default_factory=_nothing)


def _load(loading: _Loading, noun: str, row: Row) -> None:
    try:
        _check_shape(loading.session, noun, row.values)
        own, parts = _said(loading, noun, row.values)
        key = _known(loading, noun, identity_of(loading.session, noun, own, parts))
        if key is None:
            key = _add(loading.session, noun, own, parts)
            loading.made[noun, key] = row
            loading.added[noun] += 1
        else:
            loading.same[noun] += 1
        _remember(loading, noun, row.values, parts=parts, key=key)
    except RegistryError as error:
        raise _refused(noun, row, error) from error
    except IntegrityError as error:
        message = "The database refuses this row: it breaks a rule, or repeats what must be unique."
        raise SeedRefused(message, file=row.file, line=row.lines[""]) from error


def _refused(noun: str, row: Row, error: RegistryError) -> SeedRefused:
    """The error, at the nearest line; its field in the file's words (an identifier is one text there)."""
    path = error.field and ELSEWHERE.get(noun, {}).get(error.field, error.field)
    near = path or ""
    while near not in row.lines:
        near = near.rpartition("/")[0]
    place: Any = row.values
    for step in filter(None, near.split("/")):
        place = place[int(step)] if isinstance(place, list) else place[step]
    shown = path if isinstance(place, dict | list) else near
    return SeedRefused(error.message, file=row.file, line=row.lines[near], field=shown)


def _check_shape(session: WritingSession, noun: str, values: Mapping[str, Any]) -> None:
    parts = {part.PART for part in PARTS[noun]}
    known = (set(OPERATIONS[noun].FIELDS) | parts | BESIDES.get(noun, set())) - NOT_HERE.get(noun, set())
    # The same words as everywhere for keys that are unknown or computed.
    keys = dict.fromkeys(sorted(known), _AS_IT_IS)
    fields.cleaned(Context(session), keys, values, computed=records.computed(RECORDS[noun]), partial=True)
    for key, value in values.items():
        if key in TEXT_LISTS:
            _check_list(value, of=str, field=key)
        elif key in parts:
            _check_list(value, of=dict, field=key)
        elif not isinstance(value, str):
            raise InvalidValue("This must be text.", field=key)


def _check_list(value: Any, *, of: type, field: str) -> None:
    what = "word" if of is str else "mapping"
    if not isinstance(value, list):
        raise InvalidValue(f"This must be a list of {what}s.", field=field)
    for place, each in enumerate(value):
        if not isinstance(each, of):
            raise InvalidValue(f"This must be a {what}: it stands in a list of them.", field=f"{field}/{place}")


def _said(loading: _Loading, noun: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row as the operation takes it: own fields, and parts."""
    said = _resolved(loading.handles, values)
    if noun in SAID:
        SAID[noun](loading, said)
    own = {name: said[name] for name in OPERATIONS[noun].FIELDS if name in said}
    return own, {part.PART: said[part.PART] for part in PARTS[noun] if part.PART in said}


def _resolved(handles: Mapping[str, Mapping[str, int]], value: Any, path: str = "") -> Any:
    """The value with the id of a record in place of each handle."""
    if isinstance(value, list):
        return [_resolved(handles, each, under(path, place)) for place, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    return {
        key: _target(handles[POINTERS[key]], POINTERS[key], each, under(path, key))
        if key in POINTERS
        else _resolved(handles, each, under(path, key))
        for key, each in value.items()
    }


def _target(known: Mapping[str, int], noun: str, value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_target(known, noun, each, under(path, place)) for place, each in enumerate(value)]
    if isinstance(value, str) and value in known:
        return known[value]
    near = nearest(value, known) if isinstance(value, str) else []
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UnknownReference(f"No row of {noun}.yaml has this {HANDLES[noun]}.{hint}", field=path)


def _say_source(_loading: _Loading, said: dict[str, Any]) -> None:
    if not said.get("key"):
        raise InvalidValue("This field is needed: the other files cite the source by it.", field="key")


def _say_city(_loading: _Loading, said: dict[str, Any]) -> None:
    for name in ("latitude", "longitude"):
        try:
            # Two numbers that were swapped are recognised as such; what is no number is refused later.
            said[name] = float(said[name])
        except (KeyError, ValueError):
            continue
    pairs = [
        identifiers.parse(text, field=f"identifiers/{place}") for place, text in enumerate(said.get("identifiers", ()))
    ]
    said["identifiers"] = [{"scheme": scheme, "value": value} for scheme, value in pairs]


def _say_program(loading: _Loading, said: dict[str, Any]) -> None:
    if "partnership" not in said:
        return
    members, kind = frozenset(said["partnership"]), said.get("kind")
    found = {key for cities_, kind_, key in loading.agreements if cities_ == members and kind in (None, kind_)}
    if not found:
        message = "No row of partnerships.yaml has exactly these members (and the `kind`, if one is given)."
        raise UnknownReference(message, field="partnership")
    if len(found) > 1:
        message = "Several rows of partnerships.yaml have these members: say which is meant by its `kind`."
        raise UnknownReference(message, field="partnership")
    said["partnership"] = found.pop()


def _say_figure(_loading: _Loading, said: dict[str, Any]) -> None:
    codes = said.pop("countries", [])
    if len(codes) > MOST_COUNTRIES:
        raise InvalidValue("A figure is of one country or of a pair.", field="countries")
    said.update(zip(("country", "other_country"), codes, strict=False))


SAID: dict[str, Callable[[_Loading, dict[str, Any]], None]] = {
    "sources": _say_source, "cities": _say_city, "programs": _say_program, "reported_figures": _say_figure,
}  # fmt: skip


def _add(session: WritingSession, noun: str, own: dict[str, Any], parts: dict[str, Any]) -> Key:
    # Whoever wrote the row has looked at the others of the file: two Gilberts are two cities.
    if noun == City.NOUN:
        return cities.add(session, own, **parts, insist=True)
    if noun == Partnership.NOUN:
        said = own | parts
        return partnerships.establish(session, said.pop(Member.PART, []), **said, insist=True)
    key: Key = OPERATIONS[noun].add(session, own, **parts)
    return key


def _remember(loading: _Loading, noun: str, values: Mapping[str, Any], *, parts: dict[str, Any], key: Key) -> None:
    """Make the record known to the rows that point to it."""
    if noun == Partnership.NOUN:
        members = frozenset(parts[Member.PART])
        loading.agreements.add((members, values["kind"], int(key)))
    handle = values.get(HANDLES.get(noun, ""))
    if handle is None:
        return
    known = loading.handles[noun]
    if handle in known:
        raise InvalidValue("Another row has this handle already.", field=HANDLES[noun])
    known[handle] = int(key)


def _in_order(rows: list[Row]) -> list[Row]:
    """Cities that others point to (`part_of`) before these, else as in the file."""
    by_ref: dict[str, int] = {}
    for place, row in enumerate(rows):
        by_ref.setdefault(str(row.values.get("ref")), place)
    order = TopologicalSorter({
        place: [by_ref[ref] for ref in _pointed(row.values) if ref in by_ref] for place, row in enumerate(rows)
    })  # fmt: skip
    try:
        return [rows[place] for place in order.static_order()]
    except CycleError as error:
        row = rows[min(error.args[1])]
        message = "This city is part of itself by way of others: the circle must be broken somewhere."
        raise _refused(City.NOUN, row, InvalidValue(message, field="part_of")) from None


def _pointed(value: Any) -> Iterator[str]:
    """The handles of cities in a row of cities."""
    if isinstance(value, list):
        for each in value:
            yield from _pointed(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str) and POINTERS.get(key) == City.NOUN:
                yield each
            yield from _pointed(each)


def _known(loading: _Loading, noun: str, identity: Identity) -> Key | None:
    """The record that the row tells of: as the tables have it now, or as seeds once made it and somebody has
    changed it since. None: it is to be added."""
    found = standing(loading.session, noun, identity)
    fresh = [key for key in found if (noun, key) not in loading.made]
    if fresh:
        return survivor(loading.session, noun, fresh[0])
    if found and noun != Partnership.NOUN:  # two agreements of one pair may follow each other
        line = loading.made[noun, found[0]].lines[""]
        raise InvalidValue(f"This row repeats the one in line {line}: leave one of them out.")
    changed = [key for key, then in loading.seeded.get(noun, ()) if told_of(then, identity)]
    survivors = (survivor(loading.session, noun, int(key)) for key in changed)
    return next((key for key in survivors if key is not None), None)
