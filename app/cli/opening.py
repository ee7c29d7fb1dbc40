"""What every command needs: the settings that hold for it, the database, and the two ways to print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from app.registry.database import Database
    from app.settings import Settings

#: Where nobody looks at the width, nothing is to be folded or cut for it.
PIPED_WIDTH = 200

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def console(*, stderr: bool = False) -> Console:
    """Plain text comes out as it is: names and notes are not markup."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=width)


def say(message: str) -> None:
    """A sentence for whoever sits at the terminal, out of the way of the data."""
    console(stderr=True).print(message, soft_wrap=True)


def print_json(value: Any) -> None:
    """Data for programs, on stdout."""
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def settings(context: typer.Context, **chosen: Any) -> Settings:
    """The settings of this process; what was chosen on the command line goes first."""
    from app.settings import load

    options = {"database_url": context.obj} | chosen
    return load().model_copy(update={name: value for name, value in options.items() if value is not None})


@contextmanager
def opened(context: typer.Context, *, migrate: bool = False) -> Iterator[Database]:
    """The registry's database. Without `migrate` one that does not exist is refused, not made."""
    from app.registry import open_registry

    known = settings(context)
    if not migrate:
        _refuse_absent(known.database_url)
    database = open_registry(known.database_url, threads=known.threads, write_wait=known.write_wait, migrate=migrate)
    try:
        yield database
    finally:
        database.close()


def _refuse_absent(url: str) -> None:
    """SQLite would make an empty file, and the next look at it would wonder where the registry went."""
    from app.errors import RegistryDamaged
    from app.registry.database import read_url

    parsed = read_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        raise RegistryDamaged(
            f"There is no registry at {parsed.database}: run `sistercities migrate` to make one, or name the"
            " database with --database or REGISTRY_DATABASE_URL."
        )


def shown_url(url: str) -> str:
    """A database URL without its password."""
    from app.registry.database import read_url

    return read_url(url).render_as_string(hide_password=True)
