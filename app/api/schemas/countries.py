"""Answers about countries."""

from __future__ import annotations

from app.api.schemas.common import Answer, Id, Recorded
from app.models.base import Continent


class CountryItem(Recorded):
    """A country in a list."""

    code: str
    alpha3: str
    name: str
    official_name: str | None
    continent: Continent
    cities_count: int
    partnerships_count: int


class AliasOut(Answer):
    """Another spelling of a country's name."""

    id: Id
    text: str


class CountryOut(CountryItem):
    """A country, whole."""

    aliases: list[AliasOut]


class CountryList(Answer):
    """One page of countries."""

    items: list[CountryItem]
    next: str | None
    total: int | None
