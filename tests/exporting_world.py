"""A registry that is awkward to export: formulas, quotes, line breaks and apostrophes in texts, places across the
antimeridian and without coordinates, charters, merged records, a city that left and came back."""

from __future__ import annotations

from dataclasses import dataclass

from app.registry import Database, cities, journal, merging, organisations, partnerships, parts, programs, sources

#: Texts that a spreadsheet would run, or that look as if they had been made safe.
FORMULAS = ("=1+1", "+49 30", "-5 degrees", "@home", "'=already", "''=twice", "'quoted", "a=b")
NOTE = 'He said "=SUM(A1)",\nand then;\ttabs\n=HYPERLINK("x")'


@dataclass(frozen=True, slots=True)
class World:
    """Ids by short names."""

    suva: int
    apia: int
    nowhere: int
    pair: int
    unlocated: int
    charter: int
    returned: int
    merged_city: int
    merged_pair: int


def fill(database: Database) -> World:
    """Two revisions of it."""
    with database.writing(account="desk", reason="awkward things") as session:
        suva = cities.add(
            session,
            {"name": "=Suva", "country": "NZ", "kind": "port", "latitude": -18.14, "longitude": 178.44, "note": NOTE},
            names=[{"text": text, "language": "en", "kind": "short"} for text in FORMULAS],
            identifiers=[{"scheme": "wikidata", "value": "Q38807"}],
            populations=[{"people": 93970}, {"people": 88271, "year": 2017}],
        )
        apia = cities.add(
            session,
            {
                "name": "Apia", "country": "NZ", "kind": "city", "latitude": -13.83, "longitude": -171.76,
                "existed_from": "185X",
            },
        )  # fmt: skip
        nowhere = cities.add(session, {"name": "Nüwhere, “the” 東京", "country": "JP", "kind": "village"})
        twin = cities.add(session, {"name": "Apia town", "country": "NZ", "kind": "town"}, insist=True)
        source = sources.add(session, {"title": "@ A source, with a comma", "key": "S=1", "published": "1999-11"})
        pair = partnerships.establish(
            session, [suva, apia], kind="sister_city",
            events=[{"type": "signed", "date": "1973~"}, {"type": "renewed", "date": "1999-02-28", "note": NOTE}],
            designation="-friends-", title="+1",
            citations=[{"source": source, "field": "established", "value": "1974"}],
        )  # fmt: skip
        unlocated = partnerships.establish(session, [suva, nowhere], kind="friendship_city")
        charter = partnerships.establish(
            session, [suva, apia, nowhere], kind="charter", title="<Charter> & \"Co\"",
            events=[{"type": "signed", "date": "19XX"}],
        )  # fmt: skip
        returned = partnerships.establish(
            session, [apia, nowhere], kind="twin_town",
            events=[{"type": "signed", "date": "1960"}, {"type": "ended", "date": "1980-05"}],
        )  # fmt: skip
        doubled = partnerships.establish(session, [suva, twin], kind="sister_city", signed="1975")
        school = organisations.add(
            session, {"name": "=School", "kind": "school", "city": suva, "url": "https://a.example/"}
        )
        parts.add(
            session, "partnerships", pair, part="organisations", values={"organisation": school, "role": "signed"}
        )
        programs.add(
            session,
            {"partnership": pair, "name": "-Exchange", "category": "youth", "since": "1980?"},
            participants=[{"organisation": school, "side": suva}],
            occasions=[
                {"title": "=Visit", "since": "1981-07", "origin": suva, "host": apia, "people": 0, "note": NOTE}
            ],
        )
        journal.commit(session)
    with database.writing(account="desk", reason="one and the same") as session:
        merging.merge(session, twin, into=apia)
        journal.commit(session)
    return World(suva, apia, nowhere, pair, unlocated, charter, returned, twin, doubled)
