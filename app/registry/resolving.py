"""Which record does this mean? References in input (ids, identifiers, names) to the ids of records.

A reference that fits none or several is `UnknownReference`, with candidates; a merged record stands for the
one that it was merged into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.domain import identifiers
from app.domain.names import fold, nearest, similarity
from app.domain.texts import clean, clean_optional
from app.errors import InvalidValue, RecordMerged, RecordNotFound, UnknownReference
from app.models import RECORDS, City, CityIdentifier, CityName, Country, CountryAlias, Source
from app.registry import journal

LARGEST_ID = 2**63 - 1
CANDIDATES = 10
LONGEST_NAME = 300
CityReference = int | str | Mapping[str, Any]


def as_id(text: int | str) -> int | None:
    """A record number, or None for what cannot be one."""
    if isinstance(text, bool):  # an int in Python, and nobody's number
        return None
    if isinstance(text, int):
        return text if 0 < text <= LARGEST_ID else None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID))):
        return None
    return as_id(int(text))


def addressed(session: Session, noun: str, key: int | str) -> int:
    """The id of the record that a path names. Raises RecordNotFound, RecordDeleted or RecordMerged."""
    record = as_id(key)
    if record is None and noun == "cities" and identifiers.looks_like_identifier(str(key)):
        record = _city_by_identifier(session, str(key))
    if record is None:
        raise RecordNotFound(noun, key)
    into = existing(session, noun, record)
    if into is not None:
        raise RecordMerged(noun, key, into=_survivor(session, noun, into))
    return record


def existing(session: Session, noun: str, record: int) -> int | None:
    """That the record exists (else RecordNotFound or RecordDeleted); what it was merged into, if it was."""
    model = RECORDS[noun]
    merged = getattr(model, "merged_into_id", None)
    columns = [model.id] if merged is None else [model.id, merged]  # type: ignore[attr-defined]
    row = session.execute(select(*columns).where(model.id == record)).one_or_none()  # type: ignore[attr-defined]
    if row is None:
        journal.explain_absence(session, noun, record)
    assert row is not None
    return None if merged is None else row[1]


def _survivor(session: Session, noun: str, record: int) -> int:
    while (into := existing(session, noun, record)) is not None:
        record = into
    return record


def record_id(session: Session, noun: str, reference: Any, *, field: str) -> int:
    """The record of a body's reference by number."""
    number = as_id(reference) if isinstance(reference, int | str) else None
    if number is not None:
        try:
            return _survivor(session, noun, number)
        except RecordNotFound:
            pass
    label = noun.replace("_", " ")
    raise UnknownReference(f"This names no record among the {label}: give the number of one.", field=field)


def source(session: Session, reference: int | str, *, field: str) -> int:
    """A source by number or by its short key (`S14`)."""
    if isinstance(reference, str) and as_id(reference) is None:
        key = clean(reference, field=field, limit=LONGEST_NAME)
        found = session.execute(select(Source.id).where(Source.key == key)).scalar_one_or_none()
        if found is not None:
            return found
    return record_id(session, "sources", reference, field=field)


def country(session: Session, text: str, *, field: str) -> str:
    """A country's alpha-2 code, from its code (either length), a name or an alias. Never guessed."""
    text = clean(text, field=field, limit=LONGEST_NAME)
    row = session.execute(select(Country.code).where(_country_is(text))).scalars().first()
    if row is not None:
        return row
    known = {row.name_key: row.code for row in session.execute(select(Country.code, Country.name_key))}
    near = [known[key] for key in nearest(fold(text), known, n=3)]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UnknownReference(
        f"This is no country of ISO 3166-1: give its two-letter code, such as JP.{hint}", field=field
    )


def _country_is(text: str) -> ColumnElement[bool]:
    key, code = fold(text), text.upper()
    alias = select(CountryAlias.country).where(CountryAlias.key == key)
    return or_(
        Country.code == code,
        Country.alpha3 == code,
        Country.name_key == key,
        Country.code.in_(alias),
    )


def city(session: Session, reference: CityReference, *, field: str) -> int:
    """A city by number, identifier, or `{name, country, subdivision?}`."""
    if isinstance(reference, Mapping):
        return _city_by_name(session, reference, field=field)
    if isinstance(reference, str) and identifiers.looks_like_identifier(reference):
        identifiers.parse(reference, field=field)
        found = _city_by_identifier(session, reference)
        if found is not None:
            return _survivor(session, "cities", found)
        raise UnknownReference("No city has this identifier.", field=field)
    return record_id(session, "cities", reference, field=field)


def _city_by_identifier(session: Session, text: str) -> int | None:
    try:
        scheme, value = identifiers.parse(text)
    except InvalidValue:
        return None
    statement = select(CityIdentifier.city_id).where(CityIdentifier.scheme == scheme, CityIdentifier.value == value)
    return session.execute(statement).scalar_one_or_none()


def _city_by_name(session: Session, reference: Mapping[str, Any], *, field: str) -> int:
    name, subdivision = _city_words(reference, field=field)
    code = country(session, reference["country"], field=f"{field}/country")
    found = named(session, name, country=code, subdivision=subdivision)
    if len(found) == 1:
        return int(found[0]["id"])
    if found:
        raise UnknownReference(
            "Several cities have this name: give the number or an identifier of the one you mean.",
            field=field,
            candidates=found,
        )
    raise UnknownReference(
        "No city of this name is known in this country: add it first, or name one of the candidates.",
        field=field,
        candidates=similar(session, name, country=code),
    )


def _city_words(reference: Mapping[str, Any], *, field: str) -> tuple[str, str | None]:
    given = {name: value for name, value in reference.items() if (name, value) != ("subdivision", None)}
    if not {"name", "country"} <= set(given) <= {"name", "country", "subdivision"} or not all(
        isinstance(value, str) for value in given.values()
    ):
        raise InvalidValue("A city is named by {name, country, subdivision?}.", field=field)
    name = clean(given["name"], field=f"{field}/name", limit=LONGEST_NAME)
    return name, clean_optional(given.get("subdivision"), field=f"{field}/subdivision", limit=LONGEST_NAME)


def named(session: Session, name: str, *, country: str, subdivision: str | None = None) -> list[dict[str, Any]]:
    """The cities of a country that have this name in any language, folded: id, name, country, subdivision."""
    key = fold(name)
    labelled = select(CityName.city_id).where(CityName.key == key)
    conditions = [
        City.country == country,
        City.merged_into_id.is_(None),
        or_(City.name_key == key, City.id.in_(labelled)),
    ]
    if subdivision is not None:
        conditions.append(City.subdivision == subdivision)
    statement = select(*BRIEF).where(*conditions).order_by(City.id).limit(CANDIDATES)
    return [brief(row) for row in session.execute(statement)]


BRIEF = (City.id, City.name, City.country, City.subdivision, City.kind)


def brief(row: Any) -> dict[str, Any]:
    """A city as candidates show it."""
    return {
        "id": row.id,
        "name": row.name,
        "country": row.country,
        "subdivision": row.subdivision,
        "kind": row.kind,
    }


def similar(session: Session, name: str, *, country: str) -> list[dict[str, Any]]:
    """Cities of the country whose names start alike and are near, best first, each with a score."""
    start = fold(name)[:2]
    statement = select(*BRIEF).where(
        City.country == country,
        City.merged_into_id.is_(None),
        City.name_key.startswith(start, autoescape=True),
    )
    return ranked(name, [brief(row) for row in session.execute(statement)], least=0.8)


def ranked(name: str, found: Sequence[dict[str, Any]], *, least: float) -> list[dict[str, Any]]:
    """Candidates with their scores (0–1), best first; those below `least` left out."""
    scored = [each | {"score": round(similarity(name, each["name"]), 3)} for each in found]
    good = [each for each in scored if each["score"] >= least]
    return sorted(good, key=lambda each: (-each["score"], each["id"]))[:CANDIDATES]
