"""`serve`: one command from nothing to a running registry."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from app.cli import opening
from app.errors import RegistryError

if TYPE_CHECKING:
    from app.settings import Settings

#: Seconds that running requests are given when the server is told to stop.
FAREWELL = 10
REFUSALS = {
    errno.EADDRINUSE: "another program serves there already",
    errno.EACCES: "that port is reserved for the administrator of this machine",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to serve at, instead of REGISTRY_HOST.")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port, instead of REGISTRY_PORT; 0 takes a free one."),
    ] = None,
) -> None:
    """Bring the database up to date, load the seeds into an empty registry, and serve it."""
    chosen = opening.settings(context, host=host, port=port)
    with listen(chosen.host, chosen.port) as listening:
        revision = _prepare(context, chosen)
        _hand_over(chosen)
        _serve(listening, lambda: _banner(chosen, listening, revision, by_option=context.obj))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or a RegistryError that says what to choose instead."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = REFUSALS.get(error.errno or 0, error.strerror or "the address cannot be used")
        raise RegistryError(
            f"Cannot serve at {host}, port {port}: {reason}. Choose with --host and --port, or REGISTRY_HOST"
            " and REGISTRY_PORT; port 0 takes a free one."
        ) from None


def _prepare(context: typer.Context, chosen: Settings) -> int:
    """The database at the newest migration and, if it was empty, seeded; its revision."""
    from app.exchange import seeding

    with opening.opened(context, migrate=True) as database:
        with database.reading() as session:
            revision = session.number()
        # Only a new registry: what somebody took out of it since is not to come back at every start.
        if revision == 0 and chosen.seed_on_serve:
            revision = seeding.seed(database).revision or 0
    return revision


def _hand_over(chosen: Settings) -> None:
    """The application reads its settings itself: what the command line chose reaches it by the environment."""
    from app.settings import PREFIX, load

    for name in ("database_url", "host", "port"):
        os.environ[f"{PREFIX}{name.upper()}"] = str(getattr(chosen, name))
    load.cache_clear()


def _serve(listening: socket.socket, announce: Callable[[], None]) -> None:
    import uvicorn

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                announce()

    config = uvicorn.Config(
        "app.main:create_app", factory=True, loop="uvloop", http="httptools", access_log=False,
        log_config=None, log_level="warning", timeout_graceful_shutdown=FAREWELL,
    )  # fmt: skip
    Announcing(config).run(sockets=[listening])


def _banner(chosen: Settings, listening: socket.socket, revision: int, *, by_option: str | None) -> None:
    url = address(listening.getsockname())
    option = f" --database {opening.shown_url(by_option)}" if by_option else ""
    lines = Table.grid(padding=(0, 2))
    for name, value in (
        ("Serving at", f"{url}  (documentation: {url}/docs)"),
        ("Database", f"{opening.shown_url(chosen.database_url)} at revision {revision}"),
        ("To write", f'{program()}{option} keys create --role editor --label "your name"'),
        ("To stop", "Ctrl-C"),
    ):
        lines.add_row(name, value)
    console = opening.console()
    console.print("The sister-city registry", lines, sep="\n")
    console.file.flush()


def address(name: tuple[Any, ...]) -> str:
    """`http://127.0.0.1:8000` for a socket's own name."""
    host, port = name[0], name[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def program() -> str:
    """How this program is called from here: by its name if the shell finds it, else by its path."""
    if shutil.which("sistercities"):
        return "sistercities"
    path = Path(sys.argv[0])
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
