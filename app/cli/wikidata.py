"""`import wikidata`: what Wikidata says today, through the same check, report and import as any file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from app.cli import importing, opening

if TYPE_CHECKING:
    from datetime import date

#: Where the report goes unless another place is named: the working folder.
REPORT = "wikidata.report.csv"

Tell = Callable[[str, int, int], None]
Say = Callable[[str], None]


def import_wikidata(
    context: typer.Context,
    *,
    country: Annotated[
        list[str] | None,
        typer.Option("--country", metavar="XX", help="Only partnerships of this country (ISO code); repeatable."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="Only what begins, or was changed in Wikidata, since that day."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", metavar="CODE", help="Languages of names, instead of the setting; repeatable."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write; else all is only checked.")] = False,
    on_error: Annotated[
        Literal["stop", "skip"],
        typer.Option("--on-error", help="stop: write nothing if any row is refused; skip: write the others."),
    ] = "skip",
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="What kind the partnerships are; Wikidata has one.")
    ] = None,
    create_cities: Annotated[
        bool | None, typer.Option("--create-cities/--no-create-cities", help="Make cities that are not known here.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Complete new cities from GeoNames (needs the extra `places`).")
    ] = False,
    insist: Annotated[
        bool, typer.Option("--insist", help="A pair that holds a partnership of another kind gets one more.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help=f"Where the report goes (.csv, .ndjson); default: {REPORT}."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask anew, instead of using answers of the last days or going on.")
    ] = False,
    as_json: opening.AsJson = False,
) -> None:
    """Check what Wikidata says of twinned bodies, or take it in (--apply). The report is that of any import.

    One question after the other: all countries take a quarter of an hour or more. Stopped, it goes on where it was;
    what was checked is applied without asking again. REGISTRY_WIKIDATA_CONTACT must say whom they may write to.
    """
    from app.exchange import importing as imports
    from app.exchange import reports, wikidata

    target = Path.cwd() / REPORT if report is None else report.resolve()
    reports.format_of(target)
    day = _day(since)
    with opening.opened(context) as database, _stages() as (tell, say):
        harvest = wikidata.fetch(
            opening.settings(context),
            countries=country or (),
            since=day,
            languages=language or (),
            fresh=fresh,
            progress=tell,
            say=say,
        )
        for note in harvest.notes:
            say(note)
        options = imports.Options(
            file=harvest.title,
            sha256=harvest.sha256,
            source=wikidata.SOURCE,
            kind=kind,
            create_cities=create_cities,
            complete=complete,
            on_error=on_error,
            insist=insist,
        )
        with imports.plan(database, harvest.rows(), options, progress=tell, writes=apply) as planned:
            importing.run(database, planned, target, imports.apply if apply else None, as_json=as_json)


def _day(text: str | None) -> date | None:
    from app.domain import fuzzy_dates

    return None if text is None else fuzzy_dates.parse(text, field="since").earliest


@contextmanager
def _stages() -> Iterator[tuple[Tell, Say]]:
    """A bar for each stage, for somebody who looks, and a way to say something without breaking it."""
    if not sys.stderr.isatty():
        yield (lambda *_: None), opening.say
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=opening.console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    bars.update(task, visible=False)
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield tell, lambda sentence: bars.console.print(sentence, soft_wrap=True)
