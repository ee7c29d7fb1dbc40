"""Merging two records of one city: everything that hung on the loser hangs on the winner afterwards.

The loser stays as a signpost (`merged_into`), with its own columns, so that old addresses lead on. A pair that
would be doubled is merged too. The whole is one revision and can be undone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from app.domain.names import fold
from app.errors import EventRefused, InvalidValue, MergeRefused
from app.models import (
    Citation,
    City,
    CityIdentifier,
    CityName,
    CityPopulation,
    CitySuccessor,
    Event,
    Member,
    Occasion,
    Organisation,
    Participant,
    Partnership,
    PartnershipOrganisation,
    Program,
)
from app.registry import cities, parts, records, settling
from app.registry.database import WritingSession

#: Columns that name a city and simply name the winner afterwards.
MENTIONS: tuple[tuple[type[Any], str], ...] = (
    (City, "part_of_id"),
    (Organisation, "city_id"),
    (Participant, "side_id"),
    (Occasion, "origin_id"),
    (Occasion, "host_id"),
    (Citation, "city_id"),
    (Citation, "value_city_id"),
)


def merge(session: WritingSession, loser_key: int | str, *, into: int | str, revision: int | None = None) -> int:
    """Merge a city record into another of the same city; the winner's id.

    Raises MergeRefused, with the list, where the two are partners of each other or both in one charter at
    once: then they are not one city, or that record is wrong and has to be mended first. Likewise where the
    city would come to lie inside itself.
    """
    loser = records.fetch(session, City, loser_key, revision=revision)
    winner = records.fetch(session, City, into)
    if loser.id == winner.id:
        raise InvalidValue("A city cannot be merged into itself.", field="into")
    _refuse_ties(session, loser, winner)
    _merge_doubled(session, loser, winner)
    _move_names(session, loser, winner)
    _move_rows(session, loser, winner)
    _move_mentions(session, loser, winner)
    lives = _move_memberships(session, loser, winner)
    loser.merged_into_id = winner.id
    settling.settle(session, lives)
    return winner.id


def _refuse_ties(session: WritingSession, loser: City, winner: City) -> None:
    one, other, third = aliased(Member), aliased(Member), aliased(Member)
    others = third.city_id.not_in((loser.id, winner.id))
    statement = (
        select(Partnership.id, Partnership.kind, Partnership.title, Partnership.status)
        .join(one, one.partnership_id == Partnership.id)
        .join(other, other.partnership_id == Partnership.id)
        .where(one.city_id == loser.id, other.city_id == winner.id, Partnership.merged_into_id.is_(None))
        .where(
            ~or_(_gave_way(one, other), _gave_way(other, one))
            | ~exists().where(third.partnership_id == Partnership.id, others)
        )
        .distinct()
        .order_by(Partnership.id)
    )
    ties = [{"noun": "partnerships", **row._mapping} for row in session.execute(statement)]
    if ties:
        raise MergeRefused("Both records are members of the same partnerships.", obstacles=ties)


def _gave_way(one: Any, other: Any) -> ColumnElement[bool]:
    """In a charter, one had certainly left when the other joined: one place, under two records."""
    replaced = exists().where(Event.declared_by_id == other.id, Event.in_place_of_id == one.id)
    return and_(one.status == "ended", or_(replaced, one.left_latest <= other.joined_earliest))


def _merge_doubled(session: WritingSession, loser: City, winner: City) -> None:
    """Each standing pair of the loser that the winner holds too, of the same kind, becomes the winner's."""
    for partnership, partner in _pairs(session, loser.id):
        key = f"{min(winner.id, partner)}-{max(winner.id, partner)}"
        twins = settling.standing(session, key, kind=partnership.kind)
        if twins:
            twin = session.get_one(Partnership, twins[0]["id"])
            _merge_partnerships(session, partnership, twin, loser=loser.id, winner=winner.id)


def _pairs(session: WritingSession, city: int) -> list[tuple[Partnership, int]]:
    statement = (
        select(Partnership)
        .join(Member, Member.partnership_id == Partnership.id)
        .where(Member.city_id == city, Partnership.pair_key.is_not(None), Partnership.status != "ended")
        .order_by(Partnership.id)
    )
    found = []
    for partnership in session.execute(statement).scalars():
        ids = [int(part) for part in (partnership.pair_key or "").split("-")]
        found.append((partnership, ids[0] if ids[1] == city else ids[1]))
    return found


def _merge_partnerships(
    session: WritingSession, doubled: Partnership, twin: Partnership, *, loser: int, winner: int
) -> None:
    """What hangs on the doubled record moves; its own members and events stay with it, as its testimony.
    Events that the twin lacks are copied as far as its life allows them."""
    _spell_out_citations(session, doubled, "partnership_id")
    _move(session, Citation, "partnership_id", doubled.id, twin.id)
    _move(session, Program, "partnership_id", doubled.id, twin.id)
    if twin.succeeds_id in (None, doubled.id):
        twin.succeeds_id = None if doubled.succeeds_id == twin.id else doubled.succeeds_id
    _move(session, Partnership, "succeeds_id", doubled.id, twin.id)
    for row in _rows(session, PartnershipOrganisation, "partnership_id", doubled.id):
        role = {"organisation_id": row.organisation_id, "role": row.role}
        if not _holds(session, PartnershipOrganisation, partnership_id=twin.id, **role):
            row.partnership_id = twin.id
    _copy_remarks(session, doubled, twin, loser=loser, winner=winner)
    doubled.merged_into_id = twin.id
    settling.settle(session, [doubled.id, twin.id])


def _spell_out_citations(session: WritingSession, record: City | Partnership, column: str) -> None:
    """A citation without a value says "as recorded": what was recorded is written down before it moves."""
    for row in _rows(session, Citation, column, record.id):
        recorded = getattr(record, row.field, None)
        if row.value is None and row.field == "part_of" and isinstance(record, City):
            row.value_city_id = record.part_of_id
            recorded = None if record.part_of_id is None else session.get_one(City, record.part_of_id).name
        if row.value is None and row.field.startswith("populations"):
            recorded = _people(session, record.id, row.field)
        if row.value is None and isinstance(recorded, str | int | float):
            row.value = str(recorded)


def _people(session: WritingSession, city: int, field: str) -> int | None:
    year = field.partition("/")[2]
    condition = CityPopulation.year.is_not_distinct_from(int(year) if year else None)
    return session.execute(select(CityPopulation.people).where(CityPopulation.city_id == city, condition)).scalar()


#: Events that change no status where they fit at all.
REMARKS = ("anniversary", "note", "renewed")


def _copy_remarks(session: WritingSession, doubled: Partnership, twin: Partnership, *, loser: int, winner: int) -> None:
    if twin.status != "active":
        return
    for event in _rows(session, Event, "partnership_id", doubled.id):
        if event.type in REMARKS and not _holds(
            session, Event, partnership_id=twin.id, type=event.type, date=event.date
        ):
            values = {
                "type": event.type,
                "date": event.date,
                "declared_by": _city_of(session, event.declared_by_id, loser=loser, winner=winner),
                "authority": event.authority,
                "note": event.note,
            }
            row = parts.add_unsettled(session, "partnerships", twin.id, part="events", values=values)
            _drop_what_does_not_fit(session, twin.id, row)


def _drop_what_does_not_fit(session: WritingSession, twin: int, row: Event) -> None:
    """A renewal before the twin's own signing, say: it stays the merged record's testimony alone."""
    try:
        settling.refuse_impossible(session, twin)
    except EventRefused:
        session.delete(row)
        session.flush()


def _city_of(session: WritingSession, member: int | None, *, loser: int, winner: int) -> int | None:
    if member is None:
        return None
    city = session.get_one(Member, member).city_id
    return winner if city == loser else city


def _move_names(session: WritingSession, loser: City, winner: City) -> None:
    known = {fold(winner.name)} | {row.key for row in _rows(session, CityName, "city_id", winner.id)}
    for row in _rows(session, CityName, "city_id", loser.id):
        if not _holds(session, CityName, city_id=winner.id, text=row.text, language=row.language, kind=row.kind):
            row.city_id = winner.id
            known.add(row.key)
    if fold(loser.name) not in known:
        session.add(CityName(city_id=winner.id, text=loser.name, language="und", kind="exonym"))


def _move_rows(session: WritingSession, loser: City, winner: City) -> None:
    """Identifiers, populations of years that the winner lacks, successors both ways."""
    _spell_out_citations(session, loser, "city_id")
    _move(session, CityIdentifier, "city_id", loser.id, winner.id)
    for row in _rows(session, CityPopulation, "city_id", loser.id):
        if not _holds(session, CityPopulation, city_id=winner.id, year=row.year):
            row.city_id = winner.id
    for row in _rows(session, CitySuccessor, "city_id", loser.id):
        _move_successor(session, row, city=winner.id, successor=row.successor_id)
    for row in _rows(session, CitySuccessor, "successor_id", loser.id):
        _move_successor(session, row, city=row.city_id, successor=winner.id)


def _move_successor(session: WritingSession, row: CitySuccessor, *, city: int, successor: int) -> None:
    if city == successor or _holds(session, CitySuccessor, city_id=city, successor_id=successor):
        session.delete(row)
    else:
        row.city_id, row.successor_id = city, successor
    session.flush()


def _move_mentions(session: WritingSession, loser: City, winner: City) -> None:
    if winner.part_of_id == loser.id:
        winner.part_of_id = None if loser.part_of_id == winner.id else loser.part_of_id
    if loser.part_of_id == winner.id:
        loser.part_of_id = None
    session.flush()
    for model, column in MENTIONS:
        _move(session, model, column, loser.id, winner.id)
    if cities.inside_itself(session, winner):
        raise MergeRefused(
            "Merged, the city would lie inside a part of its own: mend what is part of what first.",
            obstacles=[{"noun": "cities", "id": winner.part_of_id, "field": "part_of"}],
        )


def _move_memberships(session: WritingSession, loser: City, winner: City) -> set[int]:
    """The loser's memberships become the winner's, but for those of merged partnerships. What is to be
    settled: these, and partnerships whose citations mean the loser."""
    statement = (
        select(Member)
        .join(Partnership, Partnership.id == Member.partnership_id)
        .where(Member.city_id == loser.id, Partnership.merged_into_id.is_(None))
    )
    lives = set()
    for member in session.execute(statement).scalars().all():
        member.city_id, member.country = winner.id, winner.country
        lives.add(member.partnership_id)
    claimed = select(Citation.partnership_id).where(
        Citation.value_city_id == winner.id, Citation.partnership_id.is_not(None)
    )
    return lives | {each for each in session.execute(claimed).scalars() if each is not None}


def _move(session: WritingSession, model: type[Any], column: str, old: int, new: int) -> None:
    for row in _rows(session, model, column, old):
        setattr(row, column, new)
    session.flush()


def _rows(session: WritingSession, model: type[Any], column: str, value: int) -> list[Any]:
    session.flush()
    statement = select(model).where(getattr(model, column) == value).order_by(model.id)
    return list(session.execute(statement).scalars())


def _holds(session: WritingSession, model: type[Any], **values: Any) -> bool:
    conditions = (getattr(model, name).is_not_distinct_from(value) for name, value in values.items())
    return session.execute(select(model.id).where(*conditions)).first() is not None
