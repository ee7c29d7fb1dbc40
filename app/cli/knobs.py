"""`settings`: every knob of the registry, its value, and where the value comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from app.cli import opening, showing

if TYPE_CHECKING:
    from app.settings import Settings


def settings(context: typer.Context, as_json: opening.AsJson = False) -> None:
    """Show every setting, its value (passwords masked), where it comes from, and what it is for."""
    found = described(opening.settings(context), by_option={"database_url"} if context.obj else set())
    if as_json:
        opening.print_json(found)
    else:
        opening.console().print(showing.table("Settings", found))


def described(known: Settings, *, by_option: set[str]) -> list[dict[str, object]]:
    """name, value, source (option, environment, .env, default) and description of each setting."""
    from dotenv import dotenv_values

    from app.settings import PREFIX

    sources = {".env": _capitals(dotenv_values(".env")), "environment": _capitals(os.environ)}
    rows: list[dict[str, object]] = []
    for field, info in type(known).model_fields.items():
        name, value = f"{PREFIX}{field.upper()}", getattr(known, field)
        source = next((source for source in ("environment", ".env") if name in sources[source]), "default")
        rows.append(
            {
                "name": name,
                "value": opening.shown_url(value) if field == "database_url" else value,
                "source": "--database" if field in by_option else source,
                "description": info.description,
            }
        )
    return rows


def _capitals(values: Mapping[str, str | None]) -> set[str]:
    """Names of variables are told apart without regard to case, as pydantic-settings reads them."""
    return {name.upper() for name in values}
