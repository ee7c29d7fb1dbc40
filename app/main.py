"""The one place that knows every entrance: `create_app` wires HTTP together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio.to_thread
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline

from app import observability
from app import settings as configuration
from app.api import (
    answers,
    cities,
    countries,
    document,
    errors,
    health,
    imports,
    matching,
    openapi,
    organisations,
    partnerships,
    programs,
    reconcile,
    reconcile_protocol,
    reported_figures,
    revisions,
    sources,
    suffixes,
    summary,
)
from app.registry import Database, open_registry
from app.settings import Settings

#: By whether it is SQLite: there each row fetched hands the interpreter round, and two readers are slower than one.
READS_AT_ONCE = {True: 1, False: 8}
TITLE = "Sister-city registry"
DESCRIPTION = (
    "The open registry of record for sister-city partnerships. Reads need no key. Every error is"
    " `application/problem+json`; lists page by `next`; records carry an `ETag`, changes name it in `If-Match`."
)
#: Routes are looked for in this order: the most asked first.
ROUTERS = (
    partnerships.router,
    cities.router,
    summary.router,
    countries.router,
    programs.router,
    organisations.router,
    sources.router,
    reported_figures.router,
    revisions.router,
    revisions.changes,
    matching.router,
    suffixes.router,
    imports.router,
    reconcile.router,
    health.router,
    openapi.router,
)


def create_app(settings: Settings | None = None, database: Database | None = None) -> FastAPI:
    """The registry over HTTP. Without settings those of the process; without a database theirs is opened when
    the app starts, and closed when it stops."""
    settings = settings or configuration.load()
    observability.set_up_logging(level=settings.log_level, form=settings.log_format)
    app = FastAPIOffline(
        redoc_url=None,
        title=TITLE,
        description=DESCRIPTION,
        version=version("sistercities"),
        redirect_slashes=False,
        generate_unique_id_function=document.operation_id,
        swagger_ui_parameters={"validatorUrl": None},
        lifespan=_lifespan,
    )
    app.state.settings, app.state.database, app.state.reads = settings, database, None
    _wire(app)
    return app


def _wire(app: FastAPI) -> None:
    errors.install(app)
    document.install(app)
    for middleware in (
        errors.LastResort,
        answers.HeadAsGet,
        reconcile_protocol.CrossOrigin,
        observability.GuardHeaders,
        observability.RequestIds,
    ):
        app.add_middleware(middleware)
    app.add_api_route("/", _show_docs, include_in_schema=False)
    for router in ROUTERS:
        app.include_router(router)


def _show_docs() -> RedirectResponse:
    return RedirectResponse("/docs")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
    given: Database | None = app.state.database
    app.state.database = given or open_registry(
        settings.database_url, threads=settings.threads, write_wait=settings.write_wait
    )
    at_once = settings.reads_at_once or READS_AT_ONCE[app.state.database.is_sqlite]
    app.state.reads = ThreadPoolExecutor(at_once, thread_name_prefix="reads")
    try:
        yield
    finally:
        app.state.reads.shutdown()
        app.state.reads = None
        if given is None:
            app.state.database.close()
        app.state.database = given
