"""What the registry holds, in one look: counts, reach, revision."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from app.models import RECORDS, Change, City, Country, Member, Partnership, RegistryState, Revision
from app.registry.content import table_of
from app.registry.paging import Item

#: Kinds of communities that count as cities when the registry says how many of them have a partnership.
CITIES = ("city", "town", "village")
PRESENT = ("active", "suspended")
_cities, _countries, _members, _partnerships = (table_of(model) for model in (City, Country, Member, Partnership))

_KNOWN = _cities.c.merged_into_id.is_(None) & _cities.c.kind.in_(CITIES)
_held = _members.join(_partnerships, _partnerships.c.id == _members.c.partnership_id)
_standing = (
    select(_members.c.city_id)
    .select_from(_held)
    .where(
        _partnerships.c.merged_into_id.is_(None),
        _partnerships.c.status.in_(PRESENT),
        _members.c.status.in_(PRESENT),
    )
)
_reached = (
    select(_members.c.country)
    .select_from(_held)
    .where(_partnerships.c.merged_into_id.is_(None))
    .distinct()
)  # fmt: skip


def _rows(model: type[Any]) -> ScalarSelect[int]:
    table = table_of(model)
    unmerged = [table.c.merged_into_id.is_(None)] if "merged_into_id" in table.c else []
    return select(func.count()).select_from(table).where(*unmerged).scalar_subquery()


COUNTED = RECORDS | {"revisions": Revision, "changes": Change}
_FIGURES = {
    "revision": select(table_of(RegistryState).c.revision).scalar_subquery(),
    "countries_reached": select(func.count()).select_from(_reached.subquery()).scalar_subquery(),
    "continents_reached": (
        select(func.count(_countries.c.continent.distinct()))
        .where(_countries.c.code.in_(_reached))
        .scalar_subquery()
    ),
    "cities_known": select(func.count()).where(_KNOWN).scalar_subquery(),
    "cities_with_standing_partnership": (
        select(func.count()).where(_KNOWN, _cities.c.id.in_(_standing)).scalar_subquery()
    ),
}  # fmt: skip
_STATEMENT = select(
    *(figure.label(name) for name, figure in _FIGURES.items()),
    *(_rows(model).label(f"count_{noun}") for noun, model in COUNTED.items()),
)


def get(session: Session) -> Item:
    """Counts per noun; countries and continents of members of partnerships; of the known cities (cities, towns,
    villages) how many are present members of a partnership that is active or suspended, and their share (0-1,
    None where none is known); revision. Merged records do not count."""
    row = session.execute(_STATEMENT).one()._mapping
    known, standing = row["cities_known"], row["cities_with_standing_partnership"]
    return {
        "counts": {noun: row[f"count_{noun}"] for noun in COUNTED},
        "countries_reached": row["countries_reached"],
        "continents_reached": row["continents_reached"],
        "reach": {
            "cities_known": known,
            "cities_with_standing_partnership": standing,
            "share": round(standing / known, 4) if known else None,
        },
        "revision": row["revision"],
    }
