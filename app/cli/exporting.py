"""`export`: a list in any format, or the whole registry in files that come back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from app.cli import opening
from app.cli.records import SINGULARS

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.registry.database import Database

STANDARD_OUTPUT = "-"
WHOLE = ("ndjson", "csv")


def export(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NOUN] [FILTER=VALUE]...",
            help="A list (cities, partnerships …) and the filters of its address; without one, the whole registry.",
        ),
    ] = None,
    *,
    format: Annotated[
        str | None,
        typer.Option(help="ndjson, csv, json, geojson, parquet, graphml or gexf; default: as the file's name ends."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE|DIR|-", help="Where to; of the whole registry a folder or a .zip. Default: -"),
    ] = None,
    sort: Annotated[str | None, typer.Option(help="In which order, as the list's address takes it.")] = None,
    bookkeeping: Annotated[
        bool, typer.Option("--bookkeeping", help="With revision and times of each record, which are no content.")
    ] = False,
    trailer: Annotated[
        bool, typer.Option("--trailer/--no-trailer", help="Whether CSV ends with a row that vouches for the others.")
    ] = True,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    as_json: opening.AsJson = False,
) -> None:
    """Write a list, or the whole registry, to files. Nothing is left behind by an export that did not finish.

    Without a noun: everything (merged records too) as a folder or zip of NDJSON or CSV files, from which
    `sistercities import` makes an equal registry.
    """
    noun, query = _read(words or [])
    if noun is None:
        if query or sort:
            raise typer.BadParameter("Filters and --sort are for one list: export partnerships country=JP")
        _export_whole(context, out, format, bookkeeping=bookkeeping, replace=replace, as_json=as_json)
        return
    target = _target(noun, out, format)
    form = _format(format, target)
    with opening.opened(context) as database:
        told = _export_list(
            database, noun, form, target,
            replace=replace, query=query, sort=sort, bookkeeping=bookkeeping, trailer=trailer,
        )  # fmt: skip
    if target is None:
        return
    if as_json:
        opening.print_json(told)
    else:
        opening.say(f"{told['records']:,} {noun.replace('_', ' ')} at revision {told['revision']}: {target}")


# ── What is asked for ──


def _read(words: list[str]) -> tuple[str | None, dict[str, list[str]]]:
    """The noun and the filters. Each `NAME=VALUE` may be repeated, as in an address."""
    noun = None if not words or "=" in words[0] else _noun(words[0])
    query: dict[str, list[str]] = {}
    for word in words[0 if noun is None else 1 :]:
        name, sign, value = word.partition("=")
        if not sign:
            raise typer.BadParameter(f"A filter is NAME=VALUE, as in country=JP; this is not: {word}")
        query.setdefault(name, []).append(value)
    return noun, query


def _noun(word: str) -> str:
    from app.domain.names import nearest
    from app.exchange.exporting import VIEWS

    known = [name for name in VIEWS if name != "citations"]
    plain = word.lower().replace("-", "_")
    noun = SINGULARS.get(plain, plain if plain.endswith("s") else f"{plain}s")
    if noun not in known:
        near = nearest(noun, known)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise typer.BadParameter(f"There is no such list.{hint} There are: {', '.join(known).replace('_', '-')}.")
    return noun


def _target(noun: str, out: str | None, format: str | None) -> Path | None:
    """Where a list goes; None: standard output."""
    if out is None or out == STANDARD_OUTPUT:
        return None
    path = Path(out)
    return path / f"{noun}.{format or 'ndjson'}" if path.is_dir() else path


def _format(format: str | None, target: Path | None) -> str:
    from app.exchange.exporting import FORMATS

    if format is not None:
        return format.lower()
    ending = "" if target is None else target.suffix.removeprefix(".").lower()
    if ending and ending not in FORMATS:
        raise typer.BadParameter(f"Say which format this is to be: --format {'|'.join(FORMATS)}")
    return ending or "ndjson"


# ── Writing ──


def _export_list(
    database: Database, noun: str, format: str, target: Path | None, *, replace: bool, **asked: Any
) -> dict[str, Any]:
    from app.exchange import exporting

    done, size = 0, 0
    with database.reading() as session, _bar(f"Exporting {noun}") as shown:
        selection = exporting.Selection(session, noun, asked["query"], asked["sort"])
        total = selection.total() if shown is not None else 0

        def progress(now: int) -> None:
            nonlocal done
            done = now
            if shown is not None:
                shown(now, total)

        export = exporting.opened(session, noun, format, progress=progress, **asked)
        with closing(export), _written(target, replace=replace) as file:
            for chunk in export.chunks():
                file.write(chunk)
                size += len(chunk)
        revision = session.number()
    return {
        "noun": noun, "format": format, "records": done, "revision": revision, "file": str(target), "bytes": size
    }  # fmt: skip


@contextmanager
def _written(target: Path | None, *, replace: bool) -> Iterator[IO[bytes]]:
    from app.exchange import outlets

    with nullcontext(sys.stdout.buffer) if target is None else outlets.file(target, replace=replace) as file:
        yield file
        file.flush()


def _export_whole(
    context: typer.Context, out: str | None, format: str | None, *, bookkeeping: bool, replace: bool, as_json: bool
) -> None:
    if out is None or out == STANDARD_OUTPUT:
        raise typer.BadParameter("The whole registry is several files: name a folder or a .zip with --out")
    form = (format or "ndjson").lower()
    if form not in WHOLE:
        raise typer.BadParameter(f"The whole registry comes as {' or '.join(WHOLE)}; {form} is for one list.")
    from app.exchange import whole

    with opening.opened(context) as database, _bar("Exporting everything") as progress:
        written = whole.write(
            database, Path(out), "csv" if form == "csv" else "ndjson",
            bookkeeping=bookkeeping, replace=replace, progress=progress,
        )  # fmt: skip
    if as_json:
        files = [{"name": each.name, "rows": each.rows, "sha256": each.sha256} for each in written.files]
        opening.print_json({"format": form, "revision": written.revision, "out": out, "files": files})
    else:
        opening.say(f"{written.rows:,} rows in {len(written.files)} files at revision {written.revision}: {out}")


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr with the rate and the time left, for somebody who looks at it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=opening.console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None, rate="")

        def progress(done: int, total: int) -> None:
            speed = bars.tasks[task].speed or 0
            bars.update(task, completed=done, total=total, rate=f"{speed:,.0f}/s")

        yield progress
