"""`migrate`, `seed`, `check`: the database as a whole."""

from __future__ import annotations

from dataclasses import asdict

import typer

from app.cli import opening


def migrate(context: typer.Context) -> None:
    """Bring the database up to the newest migration; make it if there is none."""
    from app.registry import migrating
    from app.registry.database import Database

    known = opening.settings(context)
    database = Database(known.database_url, write_wait=known.write_wait)
    try:
        before, after = migrating.migrate(database)
    finally:
        database.close()
    what = (
        f"is at migration {after} already" if before == after else f"went from migration {before or 'none'} to {after}"
    )
    opening.say(f"{opening.shown_url(known.database_url)} {what}.")


def seed(context: typer.Context, as_json: opening.AsJson = False) -> None:
    """Load the seeds, as one revision. What is loaded already is not loaded again."""
    from app.exchange import seeding

    with opening.opened(context) as database:
        report = seeding.seed(database)
    if as_json:
        opening.print_json(asdict(report))
    elif report.revision is None:
        opening.say("Nothing was loaded: the registry knows all of the seeds.")
    else:
        added = ", ".join(f"{count} {noun.replace('_', ' ')}" for noun, count in report.added.items() if count)
        opening.say(f"The seeds are loaded as revision {report.revision}: {added}.")


def check(context: typer.Context, as_json: opening.AsJson = False) -> None:
    """Replay the whole journal and report whatever in the tables differs from it. Exit code 1 if anything does."""
    from app.registry import checking

    with opening.opened(context) as database, database.reading() as session:
        revision, problems = session.number(), checking.check(session)
    if as_json:
        opening.print_json({"revision": revision, "problems": problems})
    else:
        _print(problems)
        opening.say(f"{len(problems) or 'No'} problems at revision {revision}.")
    if problems:
        raise typer.Exit(1)


def _print(problems: list[dict[str, str]]) -> None:
    console = opening.console()
    for problem in problems:
        console.print(f"{problem['noun']}/{problem['id']}: {problem['problem']}", soft_wrap=True)
