"""Wikidata, live: what its public SPARQL endpoint says of twinned bodies, as rows for the importer.

`queries` says what is asked, `endpoint` how, `answers` keeps what was had, `facts` reads it, `pairing` makes rows of
it, and `harvesting` puts them together. What an entrance needs is `fetch`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path
from typing import Protocol

from app.exchange.wikidata import answers as kept
from app.exchange.wikidata import harvesting, queries
from app.exchange.wikidata.endpoint import Endpoint, EndpointFailed, Manners
from app.exchange.wikidata.harvesting import Harvest, Progress
from app.exchange.wikidata.pairing import SOURCE

__all__ = ["SOURCE", "EndpointFailed", "Harvest", "Progress", "fetch"]


class Knobs(Protocol):
    """The settings that this reads."""

    @property
    def wikidata_endpoint(self) -> str: ...
    @property
    def wikidata_contact(self) -> str: ...
    @property
    def wikidata_languages(self) -> str: ...
    @property
    def wikidata_page_size(self) -> int: ...
    @property
    def wikidata_timeout(self) -> float: ...
    @property
    def wikidata_attempts(self) -> int: ...
    @property
    def wikidata_pause(self) -> float: ...
    @property
    def wikidata_keep_hours(self) -> float: ...
    @property
    def wikidata_cache(self) -> str: ...


def fetch(
    settings: Knobs,
    *,
    countries: Collection[str] = (),
    since: date | None = None,
    languages: Collection[str] = (),
    fresh: bool = False,
    progress: Progress = lambda *_: None,
    say: Callable[[str], None] = lambda _sentence: None,
) -> Harvest:
    """All partnerships that Wikidata has, of the given countries (ISO 3166-1 alpha-2), or such as begin or were
    changed since a day. A run that was stopped is gone on with unless `fresh`.

    `say` is told about waits in sentences. Raises InvalidValue for what cannot be asked, StateConflict while
    another run is under way, EndpointFailed.
    """
    wish = queries.wish(
        countries=countries, since=since, languages=tuple(languages) or settings.wikidata_languages.split(",")
    )
    manners = Manners(settings.wikidata_timeout, settings.wikidata_attempts, settings.wikidata_pause)
    with (
        Endpoint(settings.wikidata_endpoint, contact=settings.wikidata_contact, manners=manners, say=say) as endpoint,
        kept.opened(
            endpoint, cache_folder(settings), wish, keep_hours=settings.wikidata_keep_hours, fresh=fresh
        ) as answers,
    ):
        return harvesting.harvest(answers, wish, page_size=settings.wikidata_page_size, progress=progress)


def cache_folder(settings: Knobs) -> Path:
    """Where answers are kept: the setting, or the place that the system has for such things."""
    if settings.wikidata_cache:
        return Path(settings.wikidata_cache).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "sistercities" / "wikidata"
