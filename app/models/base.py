"""What all tables share: naming convention, column types, fuzzy dates, and what of a row is content.

A *record* is what the journal keeps whole; a *part* is a child row of one. `CONTENT` names the columns
that a person said; every other column is derived from content (or is bookkeeping) and can be computed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, ClassVar, Literal, get_args

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, MetaData, String, Text, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column

from app.domain import fuzzy_dates

#: SQLite only reads INTEGER PRIMARY KEY as its row id, and that is 64 bits wide there.
BigId = BigInteger().with_variant(Integer(), "sqlite")
#: Text that is sorted, compared or unique: by code point on both engines.
Key = String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
#: UTC, RFC 3339, six decimals, `Z`: sorts as text and leaves the API as it lies in the database.
Timestamp = String(27).with_variant(postgresql.VARCHAR(27, collation="C"), "postgresql")

UNKNOWN_EARLIEST = date.min
UNKNOWN_LATEST = date.max

Continent = Literal["AF", "AN", "AS", "EU", "NA", "OC", "SA"]
CONTINENTS: tuple[str, ...] = get_args(Continent)


class Base(DeclarativeBase):
    """All tables. Names of constraints come from the convention, so that migrations can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text(), int: BigId}

    #: columns a person said (records and parts only)
    CONTENT: ClassVar[tuple[str, ...]] = ()
    #: fuzzy dates among the columns: each has `_earliest` and `_latest` beside it
    DATES: ClassVar[tuple[str, ...]] = ()
    #: folded copies: column → the column it is folded from
    FOLDED: ClassVar[dict[str, str]] = {}


class Record(Base):
    """A row with a life of its own in the journal. The three columns are bookkeeping, kept by the journal."""

    __abstract__ = True
    NOUN: ClassVar[str]
    KEY: ClassVar[str] = "id"

    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[str] = mapped_column(Timestamp, default="")
    updated_at: Mapped[str] = mapped_column(Timestamp, default="")


class Part(Base):
    """A child row: it is content of the record that it hangs on. `OWNERS`: noun → column naming the record."""

    __abstract__ = True
    PART: ClassVar[str]
    OWNERS: ClassVar[dict[str, str]]

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)


def reference(target: str, **options: Any) -> Any:
    """A foreign key column. Deferred, since undo and merge put rows back in whatever order they come."""
    foreign_key = ForeignKey(target, deferrable=True, initially="DEFERRED")
    return mapped_column(foreign_key, **options)


def one_of(column: str, values: Iterable[str], *, name: str | None = None) -> CheckConstraint:
    """The column holds one of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")


def merged_index() -> Index:
    """Which records were merged into one. Partial: most were into none, and an index of all those nulls tempts
    SQLite to read a list through it and to sort it afterwards."""
    some = text("merged_into_id IS NOT NULL")
    return Index(None, "merged_into_id", sqlite_where=some, postgresql_where=some)


def early() -> Any:
    """The first day that a fuzzy date may mean; the first of all days where it is unknown."""
    return mapped_column(default=UNKNOWN_EARLIEST)


def late() -> Any:
    """The last day that a fuzzy date may mean; the last of all days where it is unknown."""
    return mapped_column(default=UNKNOWN_LATEST)


def bounds(text: str | None) -> tuple[date, date]:
    """First and last day of an EDTF text; all days where it is unknown."""
    if text is None:
        return UNKNOWN_EARLIEST, UNKNOWN_LATEST
    fuzzy = fuzzy_dates.parse(text)
    return fuzzy.earliest, fuzzy.latest


def derived_columns(model: type[Base], values: Mapping[str, Any], *, fold: Callable[[str], str]) -> dict[str, Any]:
    """The columns of one row that follow from its own content: bounds of dates, folded names."""
    derived: dict[str, Any] = {}
    for name in model.DATES:
        derived[f"{name}_earliest"], derived[f"{name}_latest"] = bounds(values.get(name))
    for key, source in model.FOLDED.items():
        derived[key] = fold(values[source])
    return derived


def _keep_in_step(_mapper: Mapper[Any], _connection: Any, row: Base) -> None:
    from app.domain.names import fold

    values = {name: getattr(row, name) for name in (*row.DATES, *row.FOLDED.values())}
    for name, value in derived_columns(type(row), values, fold=fold).items():
        setattr(row, name, value)


event.listen(Base, "before_insert", _keep_in_step, propagate=True)
event.listen(Base, "before_update", _keep_in_step, propagate=True)
