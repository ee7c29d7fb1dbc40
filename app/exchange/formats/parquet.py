"""Parquet, by DuckDB (the extra `parquet`): the flat columns with their types, and partnerships' nested `members`.

Rows go to a temporary file first and become Parquet there, row group by row group: memory does not grow with them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from app.errors import NotInstalled
from app.exchange import flat
from app.registry.paging import Item

MEDIA_TYPE = "application/vnd.apache.parquet"
PIECE = 1 << 18
ROW_GROUP = 20_480
#: Bytes of one row: an agreement of some thousands of cities.
LONGEST_ROW = 4 * 2**20
#: What DuckDB may take. The first is enough for a million pairs; row groups full of large agreements may take more.
MEMORY = ("100MB", "1GB")
_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "text": "VARCHAR", "date": "DATE", "json": "VARCHAR"}
_CITY = "STRUCT(id BIGINT, name VARCHAR, country VARCHAR, subdivision VARCHAR, latitude DOUBLE, longitude DOUBLE)"
#: Lists in items that become lists of structs: name and DuckDB type.
NESTED = {
    "partnerships": {
        "members": f'STRUCT(id BIGINT, city {_CITY}, status VARCHAR, joined VARCHAR, "left" VARCHAR)[]',
    }
}


def require() -> None:
    """Raises NotInstalled where DuckDB is not there."""
    if find_spec("duckdb") is None:
        raise NotInstalled("Parquet", extra="parquet")


class Parquet:
    """One Parquet file in the making. First `gather` the rows (while the snapshot is open), then read `content`."""

    def __init__(self, name: str, columns: Sequence[flat.Column]) -> None:
        require()
        self.name, self.columns = name, columns
        self.folder = Path(tempfile.mkdtemp(prefix="sistercities-parquet-"))

    def gather(self, batches: Iterable[list[Item]]) -> Iterator[bytes]:
        """Keep the rows; an empty chunk for each batch says that it is done with it."""
        names = [column.name for column in self.columns]
        nested = NESTED.get(self.name, {})
        with (self.folder / "rows").open("wb") as file:
            for items in batches:
                rows = flat.rows(self.name, self.columns, items)
                for item, row in zip(items, rows, strict=True):
                    file.write(_line(names, row, {name: item[name] for name in nested}))
                yield b""

    def content(self) -> Iterator[bytes]:
        """The file, in pieces."""
        target = self.folder / "parquet"
        self._convert(self.folder / "rows", target)
        with target.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _convert(self, rows: Path, target: Path) -> None:
        import duckdb

        for limit in MEMORY:
            try:
                self._copy(rows, target, limit)
                return
            except duckdb.OutOfMemoryException:
                if limit == MEMORY[-1]:
                    raise

    def _copy(self, rows: Path, target: Path, limit: str) -> None:
        import duckdb

        types = {column.name: _TYPES[column.type] for column in self.columns} | NESTED.get(self.name, {})
        # One thread and fixed row groups: the same rows give the same bytes.
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": 1,
            "memory_limit": limit,
            "temp_directory": str(self.folder / "spill"),
        }
        with duckdb.connect(config=settings) as connection:
            # It would stand in the middle of what goes to standard output.
            connection.execute("SET enable_progress_bar = false")
            connection.execute(
                f"COPY (SELECT * FROM read_json({_quoted(rows)}, format = 'newline_delimited',"  # noqa: S608 (own names)
                f" columns = {_struct(types)}, maximum_object_size = {LONGEST_ROW}))"
                f" TO {_quoted(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
            )


def _line(names: list[str], row: list[Any], nested: dict[str, Any]) -> bytes:
    return orjson.dumps(dict(zip(names, row, strict=True)) | nested, option=orjson.OPT_APPEND_NEWLINE)


def _quoted(text: Path | str) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _struct(types: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_quoted(name)}: {_quoted(kind)}" for name, kind in types.items()) + "}"
