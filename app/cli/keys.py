"""`keys create | list | revoke`: who may write."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from app.cli import opening, showing


def create(
    context: typer.Context,
    role: Annotated[
        Literal["editor", "admin"],
        typer.Option(help="editor: writes records, undoes its own revisions. admin: all, keys and merges."),
    ],
    label: Annotated[str, typer.Option(help="What the key is for; names it in `keys list`.")],
    account: Annotated[
        str | None,
        typer.Option(help="Whose key it is: the name that stands in the revisions. Default: the label."),
    ] = None,
) -> None:
    """Make an API key. It is printed once, alone on the last line of the output, and never again."""
    from app.registry import accounts

    with opening.opened(context) as database, accounts.aside(database) as session:
        key = accounts.create_key(session, role=role, label=label, account=account)
    opening.say(
        f"A new key of role {role}. Keep it safe: only its digest is stored, so it cannot be shown again.\n"
        "Send it with each write as the header  Authorization: Bearer <key>"
    )
    typer.echo(key)


def list_all(context: typer.Context, as_json: opening.AsJson = False) -> None:
    """List all keys: whose, of which role, when last used, whether revoked."""
    from app.registry import accounts

    with opening.opened(context) as database, database.reading() as session:
        found = accounts.list_keys(session)
    if as_json:
        opening.print_json(found)
    elif found:
        opening.console().print(showing.table("Keys", found))
    else:
        opening.say('There are no keys yet: sistercities keys create --role admin --label "…"')


def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's number or label, from `keys list`.")],
) -> None:
    """Revoke a key, at once and for good. What was written with it stays."""
    from app.registry import accounts

    with opening.opened(context) as database, accounts.aside(database) as session:
        gone = accounts.revoke(session, key)
    opening.say(f"Key {gone['id']} ({gone['label']}) is revoked since {gone['revoked_at']}.")
