"""What follows from the events: statuses, spells, dates, pair keys, conflicts. Written by whoever changed them.

The one place that writes derived columns of partnerships. It works on rows, batch by batch, so that undo and
merge use it as single edits do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, literal_column, select, update
from sqlalchemy.orm import Session

from app.errors import InvalidValue, PartnershipExists
from app.models import City, Member, Partnership, Spell
from app.registry import evidence, lives
from app.registry.content import KEY, among, chunks, listed, table_of
from app.registry.database import WritingSession
from app.registry.lives import Following, Kept

PAIR = 2
_partnerships, _members, _spells = table_of(Partnership), table_of(Member), table_of(Spell)
#: In the words of the partial index, so that it is used.
_UNENDED = _partnerships.c.status != literal_column("'ended'")
#: By pair key and kind: the unended partnerships of it.
Standing = dict[tuple[str, str], list[dict[str, Any]]]


def settle(session: WritingSession, partnerships: Iterable[int]) -> None:
    """Work out anew everything that follows from these partnerships' members and events, and keep it.
    Raises EventRefused, InvalidValue (too few members, one city twice), PartnershipExists."""
    session.flush()
    ids = sorted(set(partnerships))
    unsettle(session, ids)
    for batch in chunks(ids):
        _settle(session, batch)
    session.expire_all()


def unsettle(session: WritingSession, partnerships: Iterable[int]) -> None:
    """Clear the pair keys: one that is about to move must not stand in two records for a moment."""
    session.flush()
    for batch in chunks(partnerships):
        keyed = among(_partnerships.c.id, batch), _partnerships.c.pair_key.is_not(None)
        _run(session, update(_partnerships).where(*keyed).values(pair_key=None))


def _settle(session: WritingSession, batch: Sequence[int]) -> None:
    kept = lives.read(session, batch)
    claims = evidence.claims(session, Partnership.NOUN, batch)
    standing = _standing_of(session, kept)
    settled: list[tuple[Kept, Following]] = []
    wanted: list[dict[str, Any]] = []
    for each in kept:
        following = lives.follow(each)
        columns = lives.columns(each, following)
        _check_members(each, following)
        _check_pair(each, columns, standing)
        columns["conflicts_count"] = conflicts_count(each, columns, claims.get(each.row.id))
        settled.append((each, following))
        wanted.append(columns)
    _keep(session, settled, wanted)


def conflicts_count(kept: Kept, columns: Mapping[str, Any], claimed: evidence.Claimed | None) -> int:
    """How many fields of a partnership are in conflict, its other columns being these."""
    if claimed is None:
        return 0
    return len(evidence.conflicts_of(Partnership.NOUN, claimed, {**kept.row._mapping, **columns}))


def refuse_impossible(session: Session, partnership: int) -> None:
    """Raises EventRefused if the partnership's events, as they stand, have no place in a life."""
    for kept in lives.read(session, [partnership]):
        lives.follow(kept)


def _keep(
    session: WritingSession, settled: Sequence[tuple[Kept, Following]], wanted: Sequence[Mapping[str, Any]]
) -> None:
    rows = (each.row for each, _ in settled)
    _update(session, _partnerships, _differing(zip(rows, wanted, strict=True)))
    _keep_members(session, settled)
    _keep_spells(session, settled)


def _differing(pairs: Iterable[tuple[Any, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The rows that do not say what they are to say, as an update of many takes them."""
    return [
        {KEY: row.id, **wanted}
        for row, wanted in pairs
        if any(getattr(row, name) != value for name, value in wanted.items())
    ]


def _check_members(kept: Kept, following: Following) -> None:
    if len({row.city_id for row in kept.members}) < PAIR:
        raise InvalidValue("A partnership needs at least two different cities.", field="members")
    present = [row.city_id for row in kept.members if following.members[row.id]["status"] != "ended"]
    if len(present) != len(set(present)):
        raise InvalidValue("A city can be a present member only once.", field="members")


def _standing_of(session: Session, kept: Sequence[Kept]) -> Standing:
    """Unended partnerships of the same pairs as a batch that is being settled. Those of the batch are not among
    them: they have no pair key yet."""
    found: Standing = {}
    if not (pairs := {key for each in kept if (key := lives.pair_key(each)) is not None}):
        return found
    wanted = listed(session, pairs)
    first = select(_partnerships.c.id).where(_partnerships.c.pair_key == wanted, _UNENDED).limit(1).scalar_subquery()
    taken = [pair for pair, partnership in session.execute(select(wanted, first)) if partnership is not None]
    for row in _standing(session, taken) if taken else ():
        found.setdefault((row.pair_key, row.kind), []).append(_candidate(row))
    return found


def _check_pair(kept: Kept, columns: Mapping[str, Any], standing: Standing) -> None:
    """Refuse one of a pair and kind that another holds, and note this one for those that come after it."""
    if columns["pair_key"] is None or columns["status"] == "ended":
        return
    others = standing.setdefault((columns["pair_key"], kept.row.kind), [])
    if others:
        raise PartnershipExists(
            "These cities already hold an unended partnership of this kind: add to it, or end it first.",
            candidates=others,
        )
    others.append({"id": kept.row.id, "kind": kept.row.kind} | {name: columns[name] for name in _TOLD})


_TOLD = ("status", "established")


def standing(session: Session, pair_key: str, *, kind: str | None = None) -> list[dict[str, Any]]:
    """Unended partnerships of a pair (of one kind, if given): id, kind, status, established."""
    return [_candidate(row) for row in _standing(session, [pair_key]) if kind in (None, row.kind)]


def _standing(session: Session, pair_keys: Sequence[str]) -> Sequence[Any]:
    columns = (_partnerships.c[name] for name in ("id", "kind", "pair_key", *_TOLD))
    statement = select(*columns).where(_partnerships.c.pair_key.in_(pair_keys), _UNENDED)
    return session.execute(statement.order_by(_partnerships.c.id)).all()


def _candidate(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "kind", *_TOLD)}


def _keep_members(session: WritingSession, settled: Iterable[tuple[Kept, Following]]) -> None:
    differing = _differing((row, following.members[row.id]) for kept, following in settled for row in kept.members)
    # Those who left first: a city that came back holds a second row, and one row at most may be present.
    for gone in (True, False):
        _update(session, _members, [row for row in differing if (row["status"] == "ended") is gone])


def _keep_spells(session: WritingSession, settled: Iterable[tuple[Kept, Following]]) -> None:
    stale = [(kept.row.id, following.spells) for kept, following in settled if kept.spells != following.spells]
    if not stale:
        return
    _run(session, delete(_spells).where(among(_spells.c.partnership_id, [partnership for partnership, _ in stale])))
    rows = [row for partnership, spells in stale for row in lives.spell_rows(partnership, spells)]
    if rows:
        _run(session, insert(_spells), rows)


def follow_country(session: WritingSession, city: int) -> None:
    """Members repeat their city's country: keep it true when the city's was mended."""
    follow_countries(session, [city])


def follow_countries(session: WritingSession, cities: Iterable[int]) -> None:
    """The same for many cities."""
    session.flush()
    city = table_of(City)
    country = select(city.c.country).where(city.c.id == _members.c.city_id).scalar_subquery()
    for batch in chunks(cities):
        stale = among(_members.c.city_id, batch), _members.c.country != country
        _run(session, update(_members).where(*stale).values(country=country))
    session.expire_all()


def _update(session: WritingSession, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        _run(session, update(table).where(table.c.id == bindparam(KEY)), rows)


def _run(session: WritingSession, statement: Any, rows: Any = None) -> None:
    session.execute(statement, rows, execution_options={"journalled": True})
