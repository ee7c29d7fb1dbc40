"""Countries come with the seeds: ISO 3166-1 changes a few times in a decade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select

from app.errors import InvalidValue, StateConflict
from app.models import Country
from app.models.base import CONTINENTS
from app.registry import fields, parts
from app.registry.database import WritingSession
from app.registry.fields import Context, Field, cleaned

FIELDS = {
    "code": Field(fields.text(2), required=True),
    "alpha3": Field(fields.text(3), required=True),
    "name": Field(fields.text(), required=True),
    "official_name": Field(fields.text()),
    "continent": Field(fields.choice(CONTINENTS), required=True),
}


def add(session: WritingSession, values: Mapping[str, Any], *, aliases: Sequence[str] = ()) -> str:
    """A new country; its alpha-2 code. `values`: code, alpha3, name, official_name, continent."""
    columns = cleaned(Context(session), FIELDS, values, partial=False)
    _check_codes(columns)
    known = or_(*(getattr(Country, name) == columns[name] for name in ("code", "alpha3", "name")))
    if session.execute(select(Country.code).where(known)).first() is not None:
        raise StateConflict("A country of this code or name is known already.")
    session.add(Country(**columns))
    session.flush()
    parts.add_all(session, "countries", columns["code"], {"aliases": [{"text": alias} for alias in aliases]})
    return str(columns["code"])


def _check_codes(columns: Mapping[str, str]) -> None:
    for name, length in (("code", 2), ("alpha3", 3)):
        code = columns[name]
        if not (len(code) == length and code.isascii() and code.isalpha() and code.isupper()):
            raise InvalidValue(f"This must be {length} capital letters.", field=name)
