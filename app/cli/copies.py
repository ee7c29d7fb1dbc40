"""`backup` and `restore`: the whole registry in one file. Also the way from SQLite to PostgreSQL."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress as Bar

from app.cli import opening

if TYPE_CHECKING:
    from app.registry.backups import BackupReport, Progress

#: Seconds before a bar appears: what is done by then needs none.
MOMENT = 0.5

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup file.", dir_okay=False)]


def backup(
    context: typer.Context,
    file: BackupFile,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the file if it exists.")] = False,
    as_json: opening.AsJson = False,
) -> None:
    """Write everything (records, journal, accounts, keys) to a file, while the registry goes on being used."""
    from app.registry import backups

    with opening.opened(context) as database, _bar("Backing up") as progress:
        report = backups.backup(database, file, replace=replace, progress=progress)
    _tell(report, "Backed up", as_json=as_json)


def restore(
    context: typer.Context,
    file: BackupFile,
    replace: Annotated[
        bool, typer.Option("--replace", help="Throw away all that the registry holds. Stop its server first.")
    ] = False,
    as_json: opening.AsJson = False,
) -> None:
    """Put a backup into an empty registry (after `migrate`), on the same engine or the other one."""
    from app.registry import backups

    with opening.opened(context) as database, _bar("Restoring") as progress:
        report = backups.restore(database, file, replace=replace, progress=progress)
    _tell(report, "Restored", as_json=as_json)


def _tell(report: BackupReport, what: str, *, as_json: bool) -> None:
    if as_json:
        opening.print_json(report.as_dict())
    else:
        opening.say(f"{what} {sum(report.rows.values()):,} rows at revision {report.revision} ({report.time}).")


@contextmanager
def _bar(label: str) -> Iterator[Progress | None]:
    """A progress bar on stderr, for somebody who looks at it and only if it takes longer than a moment."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = Bar(console=opening.console(stderr=True), transient=True)
    task, begun = bar.add_task(label), time.monotonic()

    def progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if time.monotonic() - begun > MOMENT:
            bar.start()

    try:
        yield progress
    finally:
        bar.stop()
