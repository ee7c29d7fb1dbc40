"""Records as people read them at a terminal. It takes them in the shape that the API gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.domain import fuzzy_dates

Row = Mapping[str, Any]

#: Fields that hold fuzzy dates.
DATES = {
    "established", "ended", "joined", "left", "date", "since", "until",
    "existed_from", "existed_until", "published", "as_of",
}  # fmt: skip
#: Bookkeeping that nobody reads at a terminal.
UNSHOWN = {"created_at", "updated_at", "links"}
#: A column whose texts are all at most so long is not folded: numbers, codes, names of settings.
SHORT = 27


def record(title: str, values: Row) -> RenderableType:
    """A record: its own fields one a line, then a table for each list of child rows."""
    grid = Table.grid(padding=(0, 2))
    lists: list[RenderableType] = []
    for name, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            lists += ["", table(_words(name).capitalize(), value)]
        elif name not in UNSHOWN and value not in (None, "", []):
            grid.add_row(_words(name), Text(cell(name, value)))
    return Group(Text(title, style="bold"), grid, *lists)


def table(title: str, rows: Sequence[Row]) -> Table:
    """Rows under the fields that any of them fills."""
    shown = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    names = [name for name in dict.fromkeys(_names(rows)) if any(row.get(name) not in (None, "") for row in rows)]
    columns = [[cell(name, row.get(name)) for row in rows] for name in names]
    for name, cells in zip(names, columns, strict=True):
        shown.add_column(_words(name), overflow="fold", no_wrap=max(map(len, cells)) <= SHORT)
    for texts in zip(*columns, strict=True):
        shown.add_row(*map(Text, texts))
    return shown


def _names(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        # A date's own words are what its column shows anyway.
        unshown = UNSHOWN | {"text"} if "date" in row else UNSHOWN
        yield from (name for name in row if name not in unshown)


def cell(name: str, value: Any) -> str:
    """One value as text: `about 1973`, `Chicago (US)`, `yes`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _named(value)
    if isinstance(value, list):
        return "; ".join(cell(name, each) for each in value)
    if name in DATES:
        return fuzzy_dates.describe(fuzzy_dates.parse(str(value)))
    return str(value)


def _named(value: Row) -> str:
    """A record or row inside another one, by what people call it: a member by its city."""
    value = value.get("city") or value
    name = next((str(value[key]) for key in ("name", "title", "text") if value.get(key)), None)
    if name is None:
        return ", ".join(f"{_words(key)} {cell(key, each)}" for key, each in value.items() if each is not None)
    return f"{name} ({value['country']})" if value.get("country") else name


def _words(name: str) -> str:
    return name.replace("_", " ")


def partnership_title(values: Row) -> str:
    """`Chicago (US) – Osaka (JP)`; a charter goes by its title."""
    members = [cell("city", member["city"]) for member in values["members"]]
    return values.get("title") or " – ".join(members)


def city_title(values: Row) -> str:
    """`Gilbert (US)`."""
    return _named(values)


def history(entries: Sequence[Row]) -> Iterator[Text]:
    """The revisions of a record, each with what it changed, as lines."""
    for entry in entries:
        reason = f": {entry['reason']}" if entry["reason"] else ""
        undoes = f" (undoes {entry['undoes']})" if entry["undoes"] else ""
        head = f"revision {entry['number']}, {entry['time']}, by {entry['account']}{undoes}{reason}"
        yield Text(head, style="bold")
        yield from (Text(f"  {difference['text']}") for difference in entry["differences"])
