"""Lists in bulk: everything that the filters select, from one snapshot, batch by batch, in the format asked for.

    with database.reading() as session:
        export = opened(session, "partnerships", "csv", query={"country": ["JP"]})
        with closing(export):
            for chunk in export.chunks(): …

Memory does not grow with the list. A new format is a file in `formats/` and a line in FORMATS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Column, Select, String, cast, func, select
from sqlalchemy.orm import Session

from app.errors import InvalidValue
from app.exchange import flat
from app.exchange.formats import csv_tables, geojson, graphs, ndjson, parquet
from app.models import RECORDS, Change, City, Member, Partnership
from app.registry import paging
from app.registry.content import table_of
from app.registry.paging import AnyRow, Item, Query
from app.registry.views import (
    changes,
    citations,
    cities,
    countries,
    organisations,
    partnerships,
    programs,
    reported_figures,
    revisions,
    sources,
)

#: Rows that are fetched at once: other readers have their turn between two batches.
BATCH = 1000
VIEWS: dict[str, Any] = {
    view.NOUN: view
    for view in (
        countries, cities, partnerships, programs, organisations, sources, reported_figures, revisions, changes,
        citations,
    )
}  # fmt: skip
#: Called after each batch with how many records were written so far.
Progress = Callable[[int], None]
_NOTHING: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported: a list, what its filters say, in which order. `whole`: merged records too, no filters."""

    session: Session
    name: str
    query: Query = field(default_factory=dict)
    sort: str | None = None
    bookkeeping: bool = False
    whole: bool = False
    progress: Progress = lambda _done: None

    @property
    def view(self) -> Any:
        """The noun's view."""
        return VIEWS[self.name]

    @property
    def has_content(self) -> bool:
        """Whether the list is of records that the journal keeps whole."""
        return self.name in RECORDS

    @property
    def shows_bookkeeping(self) -> bool:
        """Whether items carry revision, created_at, updated_at."""
        return self.bookkeeping or self.name in flat.WITHOUT_BOOKKEEPING

    def statement(self) -> Select[Any]:
        """What selects the records, in their order. Raises InvalidValue."""
        chosen: Select[Any] = self.view.EVERY if self.whole else self.view.selected(self.session, self.query)
        if not self.view.SORTS:
            return chosen
        name = next(iter(self.view.SORTS)) if self.sort is None else self.sort
        return chosen.order_by(*paging.order_of(self.view.SORTS, name).order())

    def aside(self) -> dict[str, Any]:
        """What an answer says besides its items."""
        told: Callable[..., dict[str, Any]] | None = getattr(self.view, "aside", None)
        return {} if told is None or self.whole else told(self.session, self.query)

    def total(self) -> int:
        """How many records there are to write."""
        return paging.counted(self.session, self.statement())


# ── Rows ──


def fetched(session: Session, statement: Select[Any]) -> Iterator[Sequence[AnyRow]]:
    """The rows in batches, never all at once on either engine."""
    streamed = statement.execution_options(yield_per=BATCH)
    yield from session.connection().execute(streamed).partitions()


def item_batches(selection: Selection) -> Iterator[list[Item]]:
    """The items in batches, as lists show them; without bookkeeping unless it was asked for."""
    done = 0
    for rows in fetched(selection.session, selection.statement()):
        yield _items(selection, rows)
        done += len(rows)
        selection.progress(done)


def _items(selection: Selection, rows: Sequence[AnyRow]) -> list[Item]:
    if selection.name == Partnership.NOUN:
        return [_parsed(selection, row) for row in rows]
    items: list[Item] = selection.view.items(selection.session, rows)
    if not selection.shows_bookkeeping:
        for item in items:
            del item["revision"], item["created_at"], item["updated_at"]
    return items


def _parsed(selection: Selection, row: AnyRow) -> Item:
    item: Item = orjson.loads(row[0])
    if selection.bookkeeping:
        item |= {"revision": row[1], "created_at": row[2], "updated_at": row[3]}
    return item


def line_batches(selection: Selection) -> Iterator[tuple[int, bytes]]:
    """The records as NDJSON lines: each its item, and as `content` what the journal keeps of it, from which alone
    it comes back."""
    write = _lines_of_texts if selection.name == Partnership.NOUN else _lines_of_items
    statement = selection.statement()
    if selection.has_content:
        statement = statement.add_columns(_content(selection.name))
    done = 0
    for rows in fetched(selection.session, statement):
        yield len(rows), write(selection, rows)
        done += len(rows)
        selection.progress(done)


def _content(noun: str) -> Any:
    """The newest change of a record, which its own row names: the tables are the fold of the journal."""
    table, log = table_of(RECORDS[noun]), table_of(Change)
    key: Column[Any] = table.c[RECORDS[noun].KEY]
    newest = (log.c.revision == table.c.revision, log.c.noun == noun, log.c.record == cast(key, String))
    return select(log.c.after).where(*newest).correlate(table).scalar_subquery().label("content")


def _lines_of_texts(selection: Selection, rows: Sequence[AnyRow]) -> bytes:
    """Items and contents are kept as JSON: a line is their texts put together."""
    if selection.bookkeeping:
        lines = [
            f'{item[:-1]},"revision":{revision},"created_at":"{created_at}","updated_at":"{updated_at}"'
            f',"content":{content}}}\n'
            for item, revision, created_at, updated_at, content in rows
        ]
    else:
        lines = [f'{row[0][:-1]},"content":{row[-1]}}}\n' for row in rows]
    return "".join(lines).encode()


def _lines_of_items(selection: Selection, rows: Sequence[AnyRow]) -> bytes:
    items = _items(selection, rows)
    if selection.has_content:
        for item, row in zip(items, rows, strict=True):
            item["content"] = orjson.Fragment(row[-1])
    return b"".join(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items)


# ── Formats ──


@dataclass
class Export:
    """One export. First `gathered`, to its end: that needs the snapshot. Then `rest`, which needs it no more."""

    gathered: Iterator[bytes]
    rest: Callable[[], Iterator[bytes]] = lambda: iter(())
    close: Callable[[], None] = lambda: None

    def chunks(self) -> Iterator[bytes]:
        """All of it, for who has no better use for the time between."""
        yield from (chunk for chunk in self.gathered if chunk)
        yield from self.rest()


Opener = Callable[[Selection, bool], Export]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name (and suffix), media type, other media types that mean it, and how an export is opened.
    `fits`: which lists have it; None: all."""

    name: str
    media_type: str
    open: Opener
    aliases: tuple[str, ...] = ()
    fits: tuple[str, ...] | None = None


def _ndjson(selection: Selection, _trailer: bool) -> Export:
    told = {"noun": selection.name} | selection.aside()
    return Export(ndjson.lines(line_batches(selection), **told))


def _json(selection: Selection, _trailer: bool) -> Export:
    batches = ([orjson.dumps(item) for item in items] for items in item_batches(selection))
    return Export(ndjson.document(batches, opening=b"{", members=b"items", **selection.aside()))


def _csv(selection: Selection, trailer: bool) -> Export:
    columns = flat.columns_of(selection.name, bookkeeping=selection.bookkeeping)
    table = csv_tables.Table(
        [column.name for column in columns], [column.type in ("text", "json") for column in columns]
    )
    batches = (flat.rows(selection.name, columns, items) for items in item_batches(selection))
    return Export(csv_tables.stream(table, batches, trailer=trailer))


def _geojson(selection: Selection, _trailer: bool) -> Export:
    columns = flat.columns_of(selection.name, bookkeeping=selection.bookkeeping)
    batches = geojson.features(selection.name, columns, item_batches(selection))
    return Export(ndjson.document(batches, opening=geojson.OPENING, members=geojson.MEMBERS, **selection.aside()))


def _parquet(selection: Selection, _trailer: bool) -> Export:
    columns = flat.columns_of(selection.name, bookkeeping=selection.bookkeeping)
    made = parquet.Parquet(selection.name, columns)
    return Export(made.gather(item_batches(selection)), made.content, made.close)


def _graph(dialect: graphs.Dialect) -> Opener:
    def open_graph(selection: Selection, _trailer: bool) -> Export:
        return Export(graphs.stream(dialect, _cities_of(selection), lambda: item_batches(selection)))

    return open_graph


def _cities_of(selection: Selection) -> Iterator[list[Item]]:
    """The cities of the partnerships that are selected, in order of their numbers."""
    members, table = table_of(Member), table_of(City)
    chosen = (
        selection.statement().order_by(None).with_only_columns(table_of(Partnership).c.id, maintain_column_froms=True)
    )
    theirs = select(members.c.city_id).where(members.c.partnership_id.in_(chosen))
    columns = [table.c[name] for name in ("id", "name", "country", "kind", "subdivision", "latitude", "longitude")]
    statement = select(*columns).where(table.c.id.in_(theirs)).order_by(table.c.id)
    for rows in fetched(selection.session, statement):
        yield [dict(row._mapping) for row in rows]


#: The network is that of the partnerships.
NETWORK = ("partnerships",)
FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("json", "application/json", _json),
        Format("ndjson", ndjson.MEDIA_TYPE, _ndjson, ("application/ndjson", "application/jsonl")),
        Format("csv", csv_tables.MEDIA_TYPE, _csv),
        Format("geojson", geojson.MEDIA_TYPE, _geojson, ("application/vnd.geo+json",), fits=("cities", "partnerships")),
        Format("parquet", parquet.MEDIA_TYPE, _parquet, ("application/x-parquet",), fits=tuple(RECORDS)),
        Format("graphml", graphs.GRAPHML.media_type, _graph(graphs.GRAPHML), fits=NETWORK),
        Format("gexf", graphs.GEXF.media_type, _graph(graphs.GEXF), fits=NETWORK),
    )
}


def formats_of(name: str) -> list[Format]:
    """The formats that a list comes in, JSON first."""
    return [each for each in FORMATS.values() if each.fits is None or name in each.fits]


def opened(
    session: Session,
    name: str,
    format: str,
    *,
    query: Query = _NOTHING,
    sort: str | None = None,
    bookkeeping: bool = False,
    trailer: bool = True,
    progress: Progress = lambda _done: None,
) -> Export:
    """The export of a list, everything that `query` selects. Whoever opened it closes it, and the session after it.

    bookkeeping: revision, created_at, updated_at as well. trailer: whether CSV ends with a row that vouches for the
    others (the other formats cannot be cut unnoticed). Raises InvalidValue with the parameter or `format` as its
    field, NotInstalled.
    """
    fitting = {each.name: each for each in formats_of(name)}
    if format not in fitting:
        raise InvalidValue(f"This list comes as {', '.join(fitting)}.", field="format")
    selection = Selection(session, name, query, sort, bookkeeping, progress=progress)
    # What is wrong with the query is said now, before anything is on its way.
    selection.statement()
    return fitting[format].open(selection, trailer)


def whole(session: Session, noun: str, *, bookkeeping: bool = False, progress: Progress = lambda _done: None) -> Export:
    """Every record of a noun as NDJSON, merged ones too: what comes back into a registry."""
    return _ndjson(Selection(session, noun, bookkeeping=bookkeeping, whole=True, progress=progress), True)


def counted(session: Session, nouns: Iterable[str]) -> int:
    """How many records there are of these nouns, merged ones too."""
    tables = (table_of(RECORDS[noun]) for noun in nouns)
    return sum(session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)
