"""`release` and `import-release`: the whole registry at a revision, in a folder that anybody can check."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli import opening

VERIFY = "verify"


def release(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="OUT|verify", help="The folder to write; or `verify`.")],
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="With `verify`: the release.")] = None,
    *,
    name: Annotated[
        str | None, typer.Option("--version", help="What the release is called (default: r and the revision).")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Write a changelog since this release (its folder) or revision.")
    ] = None,
    with_journal: Annotated[bool, typer.Option("--with-journal", help="Add every change as NDJSON.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the folder if it exists.")] = False,
    as_json: opening.AsJson = False,
) -> None:
    """Write a release of the whole registry, or check one (`release verify DIR`).

    The same revision gives the same bytes. A folder that is really called verify is ./verify.
    """
    if target == VERIFY:
        _verify(folder, as_json=as_json)
        return
    if folder is not None:
        raise typer.BadParameter("one folder at a time; to check one: sistercities release verify DIR")
    from app.exchange.releases import writing

    origin = None if since is None else writing.since(since)
    with opening.opened(context) as database, _told() as progress:
        made = writing.write(
            database, Path(target), name=name, since=origin, journal=with_journal, replace=replace, progress=progress
        )
    if as_json:
        opening.print_json({"release": made.name, "revision": made.revision, "files": dict(made.files)})
    else:
        size = sum(made.files.values()) / 1e6
        opening.say(f"Release {made.name} of revision {made.revision}: {len(made.files)} files, {size:,.1f} MB.")


def _verify(folder: Path | None, *, as_json: bool) -> None:
    if folder is None:
        raise typer.BadParameter("name the folder of the release: sistercities release verify DIR")
    from app.exchange.releases import verifying

    with _told() as progress:
        faults = verifying.verify(folder, progress=progress)
    if as_json:
        opening.print_json([{"file": fault.file, "problem": fault.problem} for fault in faults])
    else:
        for fault in faults:
            typer.echo(f"{fault.file}: {fault.problem}")
        opening.say("The release is whole." if not faults else f"{len(faults)} faults were found.")
    if faults:
        raise typer.Exit(1)


@contextmanager
def _told() -> Iterator[Callable[[str], None]]:
    """What is being done now, for somebody who looks at it."""
    if not sys.stderr.isatty():
        yield lambda _what: None
        return
    with opening.console(stderr=True).status("Working …") as status:
        yield lambda what: status.update(f"Working on {what} …")


def import_release(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The release.", file_okay=False, exists=True)],
    *,
    check: Annotated[bool, typer.Option("--check", help="Say what would be written, and write nothing.")] = False,
    on_error: Annotated[
        Literal["stop", "skip"],
        typer.Option(help="stop: write nothing if any record is refused; skip: write the others."),
    ] = "stop",
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Where the report goes (.csv, .ndjson); default: here."),
    ] = None,
    as_json: opening.AsJson = False,
) -> None:
    """Make a registry of a release: check its sums, then take in every record under its own number, as one revision.

    Into an empty registry (after `migrate`) this makes an equal one; another one is brought to what the release says,
    and what it holds besides stays. Nothing is written if the release is not whole.
    """
    from app.cli import importing
    from app.exchange import returning
    from app.exchange.releases import verifying

    with _told() as saying:
        faults = verifying.verify(folder, progress=saying)
    if faults:
        for fault in faults:
            opening.say(f"{fault.file}: {fault.problem}")
        opening.say("The release is not whole: nothing was written.")
        raise typer.Exit(1)
    target = importing.report_of(folder, report)
    with (
        opening.opened(context) as database,
        importing.bars() as progress,
        returning.plan(database, folder / "ndjson", on_error=on_error, progress=progress) as planned,
    ):
        importing.run(database, planned, target, None if check else returning.apply, as_json=as_json)
