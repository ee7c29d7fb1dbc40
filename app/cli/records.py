"""`show`, `history`, `undo`, `redact`: single records and what became of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli import opening, showing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: The account under which this program writes.
ACCOUNT = "cli"
SINGULARS = {"city": "cities", "country": "countries"}


def _noun(text: str) -> str:
    """`reported-figures`, `reported_figures` and `reported_figure` are one noun."""
    from app.models import RECORDS

    noun = text.lower().replace("-", "_")
    noun = SINGULARS.get(noun, noun if noun.endswith("s") else f"{noun}s")
    if noun not in RECORDS:
        known = ", ".join(sorted(RECORDS)).replace("_", "-")
        raise typer.BadParameter(f"There is no such noun. Known: {known}.")
    return noun


Noun = Annotated[str, typer.Argument(metavar="NOUN", callback=_noun, help="cities, partnerships, programs, sources …")]
Key = Annotated[str, typer.Argument(metavar="ID", help="Number, country code, or a city's identifier.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the history.")]


def show(
    context: typer.Context,
    noun: Annotated[Literal["city", "partnership"], typer.Argument(help="What is to be shown.")],
    key: Key,
    as_json: opening.AsJson = False,
) -> None:
    """Show a city or a partnership with all that hangs on it."""
    from app.registry.views import cities, partnerships

    with opening.opened(context) as database, database.reading() as session:
        found = (cities if noun == "city" else partnerships).get(session, key)
    if as_json:
        opening.print_json(found)
        return
    title = showing.city_title if noun == "city" else showing.partnership_title
    opening.console().print(showing.record(title(found), found))


def history(context: typer.Context, noun: Noun, key: Key, as_json: opening.AsJson = False) -> None:
    """Show every revision of a record, newest first, with what each changed."""
    from app.registry import journal

    with opening.opened(context) as database, database.reading() as session:
        record = _journalled(session, noun, key)
        entries = journal.history(session, noun, record)
        if not entries:
            journal.explain_absence(session, noun, record)
    if as_json:
        opening.print_json(entries)
        return
    console = opening.console()
    for line in showing.history(entries):
        console.print(line, soft_wrap=True)


def _journalled(session: Session, noun: str, key: str) -> str:
    """The record's key in the journal. A number need not be in the tables any more: its history is still there."""
    from app.registry import resolving

    if noun == "countries":
        return key.upper()
    return str(resolving.as_id(key) or resolving.addressed(session, noun, key))


def undo(
    context: typer.Context,
    revision: Annotated[int, typer.Argument(min=1, help="The revision to undo.")],
    reason: Reason,
) -> None:
    """Undo a revision, by a new one. Refused, with a list, where later changes would be trampled."""
    from app.registry import journal, undoing

    with opening.opened(context) as database, database.writing(account=ACCOUNT, reason=reason) as session:
        undoing.undo(session, revision)
        journal.commit(session)
    opening.say(f"Revision {revision} is undone by revision {session.revision}.")


def redact(
    context: typer.Context,
    noun: Noun,
    key: Key,
    text: Annotated[str, typer.Option("--text", help="What must go; `-` reads it from standard input.")],
    reason: Reason,
) -> None:
    """Take a personal or unlawful text out of a record and all its history. A stub shows that it was there.

    Older backups keep the text: delete them. SQLite's file may keep it in free pages until `VACUUM` is run on it.
    """
    from app.registry import journal, redacting

    hidden = sys.stdin.read().strip() if text == "-" else text
    with opening.opened(context) as database, database.writing(account=ACCOUNT, reason=reason) as session:
        count = redacting.redact(session, noun, _journalled(session, noun, key), text=hidden)
        journal.commit(session)
    opening.say(f"The text is gone from the record and {count} of its changes (revision {session.revision}).")
