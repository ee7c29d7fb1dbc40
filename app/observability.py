"""Logging, request ids, and the headers that every answer carries. A leaf: imports nothing of the house."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TextIO
from urllib.parse import quote

import structlog

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

WELL_FORMED_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
GUARDS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
HANDLER = "registry"
#: Loggers that follow the setting; other libraries speak up from warnings on.
FOLLOWING = ("registry", "access", "uvicorn")


class _ToStderr(logging.StreamHandler[TextIO]):
    """Asks for stderr at each line: terminals and test runners replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.name = HANDLER

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def set_up_logging(*, level: str = "info", form: str = "text") -> None:
    """One line an event on stderr, ours and the libraries' alike; `form`: text or json. May be called again."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    _install(structlog.stdlib.ProcessorFormatter(_renderer(form), foreign_pre_chain=shared), level)


def _renderer(form: str) -> structlog.typing.Processor:
    if form == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=False)


def _install(formatter: logging.Formatter, level: str) -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if handler.name == HANDLER]:
        root.removeHandler(handler)
    handler = _ToStderr()
    handler.setFormatter(formatter)
    root.addHandler(handler)
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    for name in FOLLOWING:
        logging.getLogger(name).setLevel(level.upper())


class RequestIds:
    """Gives each request an id, takes over a well-formed `X-Request-ID`, and logs one line when it is done."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        line = _AccessLine(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                line.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, answer)
            finally:
                line.write()


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and WELL_FORMED_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(8)


class _AccessLine:
    """Method, path, status and milliseconds. The query is left out: it may hold what people searched for."""

    def __init__(self, scope: Scope) -> None:
        self.scope, self.status, self.begun = scope, 0, time.perf_counter()

    def write(self) -> None:
        """Log the line. Status 0: the client was gone before an answer began."""
        structlog.get_logger("access").info(
            "request",
            method=self.scope["method"],
            path=quote(self.scope["path"]),
            status=self.status,
            duration_ms=round((time.perf_counter() - self.begun) * 1000, 1),
        )


class GuardHeaders:
    """Adds the headers that keep browsers from guessing types and from telling others where they come from."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *GUARDS]
            await send(message)

        await self.app(scope, receive, answer)
