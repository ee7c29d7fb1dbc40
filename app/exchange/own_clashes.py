"""What stands in the way of a record that comes back: others here hold what it needs, or what it names is not there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.domain.names import fold
from app.exchange.own_rules import standing_pair
from app.exchange.own_staging import OwnStaging, Staged
from app.models import PARTS, RECORDS, CityIdentifier, Country, CountryAlias, Partnership, Source
from app.registry import content
from app.registry.content import among, chunks, table_of

# ── What others hold ──


def refuse_taken(staging: OwnStaging, session: Session, noun: str, batch: Sequence[Staged]) -> None:
    """Refuse what would take a row's number, an identifier, a key or a pair from a record that keeps it."""
    for part in PARTS[noun]:
        numbers = {row["id"]: staged for staged in batch for row in staged.content.get(part.PART, ())}
        for number, owners in _holders(session, part, sorted(numbers)):
            staged = numbers[number]
            for other_noun, other in owners:
                if (other_noun, other) != (noun, staged.record) and not _lets_go(
                    staging, other_noun, other, part.PART, number
                ):
                    told = f"Row {number} belongs to {other_noun.replace('_', ' ')} {other} here."
                    staging.refuse(staged.number, part.PART, told)
    for find in _UNIQUE.get(noun, ()):
        for staged, holder, field, told in find(staging, session, batch):
            if holder != staged.record:
                staging.refuse(staged.number, field, told)


def _holders(session: Session, part: Any, numbers: list[int]) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    table = table_of(part)
    owners = [(noun, table.c[column]) for noun, column in part.OWNERS.items()]
    for some in chunks(numbers):
        rows = session.execute(select(table.c.id, *(column for _, column in owners)).where(among(table.c.id, some)))
        for number, *keys in rows:
            yield number, [(noun, str(key)) for (noun, _), key in zip(owners, keys, strict=True) if key is not None]


def _lets_go(staging: OwnStaging, noun: str, record: str, part: str, number: int) -> bool:
    """Whether the record that holds a row is changed by the same export, and has it no more after that."""
    if staging.outcome_of(noun, record) != "changed":
        return False
    after = staging.content_of(noun, record) or {}
    return all(row["id"] != number for row in after.get(part, ()))


Taken = Iterator[tuple[Staged, str, str, str]]


def _taken_identifiers(staging: OwnStaging, session: Session, batch: Sequence[Staged]) -> Taken:
    wanted = {
        (row["scheme"], row["value"]): staged for staged in batch for row in staged.content.get("identifiers", ())
    }
    table = table_of(CityIdentifier)
    for some in chunks(wanted):
        columns = tuple_(table.c.scheme, table.c.value)
        rows = session.execute(select(table.c.city_id, table.c.scheme, table.c.value).where(columns.in_(some)))
        for city, scheme, value in rows:
            after = staging.coming("cities", str(city))
            kept = after is None or any(
                (row["scheme"], row["value"]) == (scheme, value) for row in after.get("identifiers", ())
            )
            if kept:
                yield (
                    wanted[scheme, value], str(city), "identifiers",
                    f"The identifier {scheme}:{value} belongs to city {city} here: an identifier names one city.",
                )  # fmt: skip


def _taken_values(model: Any, column: str, told: str) -> Callable[[OwnStaging, Session, Sequence[Staged]], Taken]:
    """Finds records that hold a value of a unique column."""
    noun, table = model.NOUN, table_of(model)

    def find(staging: OwnStaging, session: Session, batch: Sequence[Staged]) -> Taken:
        wanted = {staged.content[column]: staged for staged in batch if column in staged.content}
        for some in chunks(wanted):
            for key, value in session.execute(
                select(table.c[model.KEY], table.c[column]).where(table.c[column].in_(some))
            ):
                after = staging.coming(noun, str(key))
                if after is None or after.get(column) == value:
                    yield wanted[value], str(key), column, told

    return find


def _taken_aliases(staging: OwnStaging, session: Session, batch: Sequence[Staged]) -> Taken:
    wanted = {fold(row["text"]): staged for staged in batch for row in staged.content.get("aliases", ())}
    table = table_of(CountryAlias)
    for some in chunks(wanted):
        for key, country in session.execute(select(table.c.key, table.c.country).where(table.c.key.in_(some))):
            after = staging.coming("countries", country)
            if after is None or any(fold(row["text"]) == key for row in after.get("aliases", ())):
                yield wanted[key], country, "aliases", f"This name is one of {country} here."


def _taken_pairs(staging: OwnStaging, session: Session, batch: Sequence[Staged]) -> Taken:
    wanted: dict[str, Staged] = {}
    for staged in batch:
        pair = standing_pair(staged.content)
        if pair is None:
            continue
        other = staging.pairs_of(staged.number, pair)
        if other is not None:
            yield staged, other, "members", f"Partnership {other} of the export is of the same cities and kind."
        wanted[pair] = staged
    table = table_of(Partnership)
    for some in chunks(sorted({pair.split(" ")[0] for pair in wanted})):
        standing = select(table.c.id, table.c.pair_key, table.c.kind).where(
            table.c.pair_key.in_(some), table.c.status != "ended"
        )
        for number, pair_key, kind in session.execute(standing):
            staged_one = wanted.get(f"{pair_key} {kind}")
            after = staging.coming("partnerships", str(number))
            if staged_one is not None and (after is None or standing_pair(after) == f"{pair_key} {kind}"):
                yield (
                    staged_one, str(number), "members",
                    f"These cities hold partnership {number} of this kind here already, and it has not ended.",
                )  # fmt: skip


_UNIQUE: dict[str, tuple[Callable[[OwnStaging, Session, Sequence[Staged]], Taken], ...]] = {
    "cities": (_taken_identifiers,),
    "countries": (
        _taken_values(Country, "alpha3", "Another country has this code here."),
        _taken_values(Country, "name", "Another country has this name here."),
        _taken_aliases,
    ),
    "sources": (_taken_values(Source, "key", "Another source has this key here."),),
    "partnerships": (_taken_pairs,),
}


# ── What they name ──


def refuse_dangling(staging: OwnStaging, session: Session) -> None:
    """Refuse what names a record that is neither here nor in the export, or one that is refused itself: its number
    may be that of another record here. What names those that are refused now is refused next."""
    for noun in RECORDS:
        _refuse_unknown(staging, session, noun)
    refused = -1
    while refused != (now := staging.totals().get("refused", 0)):
        refused = now
        rows = staging.db.execute(
            "SELECT named.number, named.field, named.noun, named.record FROM named"
            " JOIN records AS theirs ON theirs.noun = named.noun AND theirs.record = named.record"
            " JOIN records AS own ON own.number = named.number"
            " WHERE theirs.outcome = 'refused' AND own.outcome IN ('created', 'changed')"
        ).fetchall()
        for number, field, noun, record in rows:
            staging.refuse(
                number, field, f"It names {noun.replace('_', ' ')} {record} of the export, which is refused."
            )


def _refuse_unknown(staging: OwnStaging, session: Session, noun: str) -> None:
    named = staging.db.execute(
        "SELECT DISTINCT named.record FROM named LEFT JOIN records USING (noun, record)"
        " WHERE named.noun = ? AND records.number IS NULL",
        (noun,),
    )
    wanted = [record for (record,) in named.fetchall()]
    absent = set(wanted) - _there(session, noun, wanted)
    for some in chunks(sorted(absent)):
        for record in some:
            rows = staging.db.execute("SELECT number, field FROM named WHERE noun = ? AND record = ?", (noun, record))
            for number, field in rows.fetchall():
                told = f"It names {noun.replace('_', ' ')} {record}, which is neither here nor in the export."
                staging.refuse(number, field, told)


def _there(session: Session, noun: str, records: Collection[str]) -> set[str]:
    model = RECORDS[noun]
    column = table_of(model).c[model.KEY]
    found: set[str] = set()
    for some in chunks(sorted(records, key=content.in_order)):
        keys = [content.key_of(noun, record) for record in some]
        found |= {str(key) for key in session.execute(select(column).where(among(column, keys))).scalars()}
    return found
