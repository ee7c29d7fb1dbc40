"""Small HTML for reconciliation clients: the preview of an entity in a frame, and flyouts beside suggestions.

Everything from the registry is escaped, and the page may load and run nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from typing import Any

from sqlalchemy.orm import Session

from app.api.reconcile_entities import CITY, Entity
from app.api.reconcile_properties import PROPERTIES, Settings

WIDTH, HEIGHT = 400, 180
SHOWN_PARTNERS = 6
STYLE = (
    "body{font:14px/1.4 system-ui,sans-serif;margin:8px 10px;color:#1a1a1a;background:#fff}"
    "h1{font-size:16px;margin:0}p{margin:2px 0;color:#444}dl{margin:6px 0 0;display:grid;"
    "grid-template-columns:max-content 1fr;gap:1px 10px}dt{color:#666}dd{margin:0}a{color:#0b57a4}"
)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
#: The page shows and links; it may be framed by anybody, and loads, runs and sends nothing.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)
#: What a preview lists, by type: property → what it is called there.
LISTED: dict[str, tuple[str, ...]] = {
    CITY: ("partnerships", "partners", "population", "coordinates"),
    "country": ("partnerships", "cities", "continent"),
}


def preview(session: Session, entity: Entity, *, address: str) -> str:
    """A page about an entity; `address`: where the whole record is."""
    facts = "".join(
        f"<dt>{escape(PROPERTIES[name].name)}</dt><dd>{escape(text)}</dd>"
        for name in LISTED[entity.type]
        if (text := _told(_values(session, entity, name)))
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(entity.name)}</title>'
        f"<style>{STYLE}</style></head><body><h1>"
        f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{escape(entity.name)}</a></h1>'
        f"<p>{escape(entity.description)}</p><dl>{facts}</dl></body></html>"
    )


def _values(session: Session, entity: Entity, name: str) -> Sequence[Any]:
    known = PROPERTIES[name]
    if known.own is not None:
        return known.own(entity)
    assert known.gather is not None
    return known.gather(session, [entity], Settings()).get(entity.key, ())


def _told(values: Sequence[Any]) -> str:
    texts = [_text(value) for value in values[:SHOWN_PARTNERS]]
    more = len(values) - SHOWN_PARTNERS
    return ", ".join(texts) + (f" and {more:,} more" if more > 0 else "")


def _text(value: Any) -> str:
    if "int" in value:
        return f"{value['int']:,}"
    return str(value.get("name") or value.get("str", ""))


def flyout(name: str, description: str) -> str:
    """A few words about a suggestion, as clients put them beside it: no style, no links, nothing but text."""
    return f"<p><strong>{escape(name)}</strong></p><p>{escape(description)}</p>"
