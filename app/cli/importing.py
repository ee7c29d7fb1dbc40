"""`import`: a file of partnerships, cities, programs, organisations or sources, checked or taken in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from app.cli import opening
from app.cli.records import ACCOUNT

if TYPE_CHECKING:
    from app.exchange.importing import Applied, Line, Plan, Progress
    from app.exchange.reading import Opened
    from app.exchange.returning import Returning

    Judged = Plan | Returning

SHOWN = 20
#: The command that stands for a file, which nobody types.
FILE_COMMAND = "file"
Noun = Literal["partnerships", "cities", "programs", "organisations", "sources"]


class FileOrService(TyperGroup):
    """`import FILE` reads a file; `import wikidata` is a command of its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Whatever is no other command is a file."""
        if not args or args[0] not in self.commands:
            args = [FILE_COMMAND, *(args or ["--help"])]
        return super().parse_args(ctx, args)


def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV, NDJSON, JSON, XLSX, or SPARQL results.")],
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write it, as one revision. Without this it is checked.")
    ] = False,
    noun: Annotated[Noun | None, typer.Option(help="What the rows are, instead of what the columns say.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=HEADER", help="Which column is which (city1=Stadt), or a value for all (country1==DE)."
        ),
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="csv, tsv, ndjson, json, xlsx or sparql, instead of a look at it.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Such as latin-1, instead of a look at it.")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="TITLE", help="Where rows come from that do not say it.")
    ] = None,
    source_url: Annotated[str | None, typer.Option(metavar="URL", help="The address of that source.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of partnerships whose row says none; default: sister_city.")] = None,
    create_cities: Annotated[
        bool | None,
        typer.Option(
            "--create-cities/--no-create-cities",
            help="Add cities that are not known; default: if the file says where they lie.",
        ),
    ] = None,
    complete: Annotated[
        bool | None,
        typer.Option(
            "--complete/--no-complete",
            help="Complete new cities from GeoNames; default: with the extra `places`, up to 1,000 places.",
        ),
    ] = None,
    on_error: Annotated[
        Literal["stop", "skip"],
        typer.Option(help="stop: write nothing if any row is refused; skip: write the others."),
    ] = "stop",
    insist: Annotated[
        bool, typer.Option("--insist", help="A pair that holds a partnership of another kind gets one more.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Where the report goes (.csv, .ndjson); default: here."),
    ] = None,
    as_json: opening.AsJson = False,
) -> None:
    """Check a file row by row, or take it in (--apply). A report has a line for every row: created, same, changed,
    ambiguous or refused, and why. `import wikidata` asks Wikidata instead of a file.

    Exit code 1: a refused row stopped the import (see --on-error), or the file cannot be read; nothing was written.
    """
    from app.exchange import import_files, importing, returning
    from app.exchange.importing import Options

    target = report_of(file, report)
    opened = import_files.open_file(file, noun=noun, columns=_columns(column), format=format, encoding=encoding)
    if opened.format == import_files.OWN:
        with (
            opening.opened(context) as database,
            bars() as progress,
            returning.plan(database, file, noun=noun, on_error=on_error, progress=progress) as export,
        ):
            run(database, export, target, returning.apply if apply else None, as_json=as_json)
        return
    _tell_columns(opened, as_json=as_json)
    options = Options(
        source=_source(opened, source, source_url, ask=apply and not as_json),
        kind=kind, create_cities=create_cities, complete=complete, on_error=on_error, insist=insist,
    )  # fmt: skip
    with (
        opening.opened(context) as database,
        bars() as progress,
        import_files.plan(database, opened, options, progress=progress, writes=apply) as planned,
    ):
        run(database, planned, target, importing.apply if apply else None, as_json=as_json)


def run(database: Any, planned: Judged, report: Path, apply: Callable[..., Applied] | None, *, as_json: bool) -> None:
    """Write the report and, with `apply`, the registry; say what came of it. Exit code 1 where a refused row stopped
    it."""
    from app.exchange import reports

    def write_report(made: Judged) -> None:
        reports.write(made.lines(), report)

    applied = None
    if apply is None:
        write_report(planned)
    else:
        applied = apply(database, planned, account=ACCOUNT, before_commit=write_report)
    if as_json:
        opening.print_json(outcome(planned, applied, report))
    else:
        _tell(planned, applied, report)
    if applied is not None and applied.stopped:
        raise typer.Exit(1)


def outcome(planned: Judged, applied: Applied | None, report: Path) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "mode": "check" if applied is None else "apply",
        "rows": planned.rows,
        **planned.totals,
        "revision": None if applied is None else applied.revision,
        "report": str(report),
    }


def report_of(file: Path, report: Path | None) -> Path:
    """Where the report of an import goes."""
    from app.exchange import reports

    # Here, not beside the file: that may lie where nobody may write.
    target = Path.cwd() / f"{file.resolve().stem}.report.csv" if report is None else report.resolve()
    reports.format_of(target)
    return target


def _columns(given: list[str] | None) -> dict[str, str]:
    columns: dict[str, str] = {}
    for each in given or ():
        name, equals, header = each.partition("=")
        if not (name.strip() and equals and header):
            raise typer.BadParameter("Write NAME=HEADER, such as city1=Stadt.", param_hint="--column")
        columns[name.strip()] = header
    return columns


def somebody_sits_there() -> bool:
    """Whether questions can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _source(opened: Opened, title: str | None, url: str | None, *, ask: bool) -> Any:
    from app.exchange import import_files
    from app.exchange.records import SourceNamed

    if not (title or url) and ask and not import_files.names_sources(opened) and somebody_sits_there():
        title = typer.prompt("Where do these rows come from? The title of the source", err=True)
        url = typer.prompt("Its address, if it has one", default="", show_default=False, err=True)
    return SourceNamed(title=title or "", url=url or "") if title or url else None


# ── What is said ──


def _tell_columns(opened: Opened, *, as_json: bool) -> None:
    if as_json:
        return
    opening.say(f"{opened.path.name}: {opened.noun}, {_form(opened)}")
    opening.say("  columns: " + ", ".join(f"{header} → {name}" for name, header in opened.columns.items()))
    if opened.ignored:
        near = opened.suggestions
        shown = (f"{name} (perhaps {near[name]}?)" if name in near else name for name in opened.ignored)
        opening.say(f"  not used: {', '.join(shown)}. --column NAME=HEADER says what a column is.")
    for remark in opened.remarks:
        opening.say(f"  {remark}")


def _form(opened: Opened) -> str:
    named = {"\t": "tabs", " ": "blanks"}
    delimiter = f"separated by {named.get(opened.delimiter, opened.delimiter)}" if opened.delimiter else ""
    return ", ".join(filter(None, (opened.format, opened.encoding, delimiter)))


def _tell(planned: Judged, applied: Applied | None, report: Path) -> None:
    told = ", ".join(f"{count:,} {name}" for name, count in planned.totals.items())
    opening.say(f"{planned.rows:,} rows: {told}.")
    _tell_lines(planned)
    opening.say(f"The report lies in {report}.")
    if planned.stops:
        again = "Nothing was written" if applied else "Nothing would be written"
        opening.say(f"{again}, since rows are refused: mend them, or leave them out with --on-error skip.")
    elif applied is None:
        known = planned.options.source or planned.options.noun in ("sources", "an export")
        source = "" if known else " (and --source TITLE, unless every row names one)"
        opening.say(f"Checked against revision {planned.revision}; --apply{source} writes it.")
    elif applied.revision is None:
        opening.say("Nothing was written: the registry has all of it.")
    else:
        opening.say(f"Written as revision {applied.revision}. To take it back: sistercities undo {applied.revision}")


def _tell_lines(planned: Judged) -> None:
    """The first rows that somebody has to look at."""
    lines = (line for line in planned.lines() if line.outcome in ("refused", "ambiguous"))
    console = opening.console()
    for _, line in zip(range(SHOWN), lines, strict=False):
        console.print(_line(line), soft_wrap=True)
    more = planned.totals["refused"] + planned.totals["ambiguous"] - SHOWN
    if more > 0:
        console.print(f"… and {more:,} more such rows.", soft_wrap=True)


def _line(line: Line) -> str:
    where = f" {line.field}:" if line.field else ""
    return f"row {line.number} {line.outcome}:{where} {line.reason}"


@contextmanager
def bars() -> Iterator[Progress]:
    """A bar for each step on stderr, with rate and time left, for somebody who looks at it."""
    if not sys.stderr.isatty():
        yield lambda _step, _done, _total: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description:<8}"), BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=opening.console(stderr=True), transient=True) as bars:
        yield _told_to(bars)


def _told_to(bars: Any) -> Callable[[str, int, int], None]:
    tasks: dict[str, Any] = {}

    def progress(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = bars.add_task(step, total=total or None, rate="")
        bars.update(tasks[step], completed=done, total=total or None, rate=_rate(bars, tasks[step], step))

    return progress


def _rate(bars: Any, task: Any, step: str) -> str:
    speed = bars.tasks[task].finished_speed or bars.tasks[task].speed or 0
    if step == "Reading":
        return f"{speed / 1_000_000:,.1f} MB/s"
    return f"{speed:,.0f} {'places' if step == 'Matching' else 'rows'}/s"
