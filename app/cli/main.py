"""The command `sistercities`: what can be asked of the registry and done to it, at a terminal.

One file for each group of commands; a new command is a function there and a line in `COMMANDS`. What is slow
to import is imported inside the functions, so that `--help` answers at once.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app.cli import copies, databases, exporting, importing, keys, knobs, opening, records, releases, serving, wikidata
from app.errors import RegistryError

Command = tuple[str, Callable[..., None], tuple[str, ...]]

COMMANDS: tuple[Command, ...] = (
    ("serve", serving.serve, ("serve", "serve --host 0.0.0.0 --port 8080")),
    ("migrate", databases.migrate, ("migrate", "--database postgresql://localhost/registry migrate")),
    ("seed", databases.seed, ("seed", "seed --json")),
    ("check", databases.check, ("check", "check --json")),
    ("show", records.show, ("show city wikidata:Q1297", "show partnership 12 --json")),
    ("history", records.history, ("history partnerships 12", "history cities wikidata:Q1297 --json")),
    ("undo", records.undo, ('undo 41 --reason "entered for the wrong Gilbert"',)),
    (
        "redact",
        records.redact,
        (
            'redact cities 7 --text "a private address" --reason "asked for by the person"',
            'redact cities 7 --text - --reason "asked for by the person" < text.txt',
        ),
    ),
    ("backup", copies.backup, ("backup registry-2026-05-01.backup",)),
    (
        "restore",
        copies.restore,
        (
            "restore registry-2026-05-01.backup",
            "--database postgresql://localhost/registry restore registry-2026-05-01.backup",
        ),
    ),
    (
        "release",
        releases.release,
        (
            "release releases/2026-11",
            "release releases/2026-12 --since releases/2026-11 --with-journal",
            "release verify releases/2026-12",
        ),
    ),
    (
        "export",
        exporting.export,
        (
            "export --out everything.zip",
            "export --format csv --out everything/",
            "export partnerships country=JP status=active,suspended --out japan.csv",
            "export partnerships --format graphml > network.graphml",
        ),
    ),
    (
        "import-release",
        releases.import_release,
        ("import-release releases/2026-12", "import-release releases/2026-12 --check"),
    ),
    ("settings", knobs.settings, ("settings", "settings --json")),
)
KEY_COMMANDS: tuple[Command, ...] = (
    (
        "create",
        keys.create,
        (
            'keys create --role editor --label "city archive"',
            'keys create --role admin --label laptop --account "city archive"',
        ),
    ),
    ("list", keys.list_all, ("keys list", "keys list --json")),
    ("revoke", keys.revoke, ("keys revoke 3", 'keys revoke "city archive"')),
)
IMPORT_COMMANDS: tuple[Command, ...] = (
    (
        importing.FILE_COMMAND,
        importing.import_file,
        (
            "import partners.csv",
            'import partners.xlsx --column city1=Stadt --source "City archive, list of partners" --apply',
            "import partners.csv --apply --on-error skip --report partners.report.ndjson --json",
        ),
    ),
    ("wikidata", wikidata.import_wikidata, ("import wikidata --country DE", "import wikidata --country DE --apply")),
)


class Polite(TyperGroup):
    """What goes wrong is said in a sentence on stderr, without a traceback; the exit code is 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C (130), usage (2) and a reader who went away are typer's to deal with."""
        try:
            return super().invoke(ctx)
        except RegistryError as error:
            _explain(error)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            opening.say(f"Error: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
        except Exception as error:
            reason = _of_database(error)
            if reason is None:
                raise
            opening.say(f"Error: {reason}")
        raise typer.Exit(1)


def _explain(error: RegistryError) -> None:
    opening.say(f"Error: {error.message}" + (f" ({error.field})" if error.field else ""))
    for name, value in error.details.items():
        for row in value if isinstance(value, list) else [value]:
            words = ", ".join(f"{k}: {v}" for k, v in row.items()) if isinstance(row, dict) else str(row)
            opening.say(f"  {name.replace('_', ' ')}: {words}")


def _of_database(error: Exception) -> str | None:
    """The driver's own first line (it names no password). None for another surprise: a slip of ours, which
    shows as such."""
    if "sqlalchemy" not in sys.modules:
        return None
    from sqlalchemy.exc import DBAPIError

    if not isinstance(error, DBAPIError):
        return None
    return f"The database cannot be used: {str(error.orig).strip().splitlines()[0]}"


def _examples(lines: tuple[str, ...]) -> str:
    return "Examples:\n\n" + "\n\n".join(f"  sistercities {line}" for line in lines)


def _group(**options: Any) -> typer.Typer:
    return typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich", **options)


def _add(group: typer.Typer, commands: tuple[Command, ...]) -> None:
    for name, function, examples in commands:
        group.command(name, epilog=_examples(examples))(function)


def start(
    context: typer.Context,
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="URL", help="The registry's database, instead of the setting."),
    ] = None,
) -> None:
    """The open registry of record for sister-city partnerships."""
    context.obj = database


app = _group(cls=Polite, epilog=_examples(("serve", 'keys create --role editor --label "city archive"')))
app.callback()(start)
_add(app, COMMANDS)
key_app = _group(help="API keys: who may write.", epilog=_examples(("keys list",)))
_add(key_app, KEY_COMMANDS)
app.add_typer(key_app, name="keys")
import_app = _group(
    cls=importing.FileOrService, help="Take in a file (import FILE) or what Wikidata says (import wikidata)."
)
_add(import_app, IMPORT_COMMANDS)
app.add_typer(import_app, name="import")


def run() -> None:
    """The console script."""
    app(prog_name="sistercities")
