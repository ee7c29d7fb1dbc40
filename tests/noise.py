"""Unrelated rows that stand in every test's registry: a query without its WHERE meets them and fails."""

from __future__ import annotations

from app.registry import (
    Database,
    cities,
    countries,
    journal,
    organisations,
    partnerships,
    programs,
    reported_figures,
    sources,
)

COUNTRIES = (
    ("US", "USA", "United States", "NA", ["USA", "United States of America"]),
    ("JP", "JPN", "Japan", "AS", []),
    ("DE", "DEU", "Germany", "EU", ["Deutschland"]),
    ("FR", "FRA", "France", "EU", []),
    ("IT", "ITA", "Italy", "EU", []),
    ("CN", "CHN", "China", "AS", []),
    ("BR", "BRA", "Brazil", "SA", []),
    ("RU", "RUS", "Russia", "EU", ["Russian Federation"]),
    ("IM", "IMN", "Isle of Man", "EU", []),
    ("LT", "LTU", "Lithuania", "EU", []),
    ("TR", "TUR", "Türkiye", "AS", ["Turkey"]),
    ("NZ", "NZL", "New Zealand", "OC", []),
    ("IS", "ISL", "Iceland", "EU", []),
    ("KE", "KEN", "Kenya", "AF", []),
    ("PE", "PER", "Peru", "SA", []),
)
#: Places that no test speaks of, in countries that tests do not count.
PLACES = (
    ("Wellington", "NZ", "city", -41.29, 174.78),
    ("Akureyri", "IS", "town", 65.68, -18.1),
    ("Kisumu", "KE", "city", -0.1, 34.76),
    ("Cusco", "PE", "city", -13.53, -71.97),
)


def fill(database: Database) -> None:
    """One revision of noise: countries, four cities, partnerships of every status, and all that hangs on them."""
    with database.writing(account="noise", reason="rows that no test is about") as session:
        for code, alpha3, name, continent, aliases in COUNTRIES:
            values = {"code": code, "alpha3": alpha3, "name": name, "continent": continent}
            countries.add(session, values, aliases=aliases)
        source = sources.add(session, {"title": "A noisy document", "key": "NOISE", "published": "2001"})
        a, b, c, d = (
            cities.add(
                session,
                {"name": name, "country": country, "kind": kind, "latitude": latitude, "longitude": longitude},
                names=[{"text": f"{name}-noise", "language": "en", "kind": "short"}],
                identifiers=[{"scheme": "geonames", "value": str(9_000_000 + place)}],
                populations=[{"people": 1000 + place, "year": 1999}],
            )
            for place, (name, country, kind, latitude, longitude) in enumerate(PLACES)
        )
        seat = organisations.add(session, {"name": "Noise School", "kind": "school", "city": a})
        active = partnerships.establish(
            session,
            [a, b],
            kind="twin_town",
            signed="1951",
            citations=[{"source": source, "field": "established", "value": "1952"}],
            organisations=[{"organisation": seat, "role": "coordinates"}],
        )
        ended = [{"type": "signed", "date": "1953"}, {"type": "ended", "date": "1954", "declared_by": a}]
        partnerships.establish(session, [a, c], kind="twin_town", events=ended)
        suspended = [{"type": "signed"}, {"type": "suspended", "date": "1955"}]
        partnerships.establish(session, [b, c], kind="cooperation", events=suspended)
        partnerships.establish(session, [b, d], kind="project", events=[{"type": "proposed", "date": "1956"}])
        partnerships.establish(session, [a, b, c, d], kind="charter", title="Noise charter")
        programs.add(
            session,
            {"partnership": active, "name": "Noise exchange", "category": "other", "since": "1957"},
            participants=[{"organisation": seat, "side": a}],
            occasions=[{"title": "Noise visit", "since": "1958", "origin": a, "host": b, "people": 3}],
        )
        figure = {"source": source, "scope": "noise", "measure": "partnerships", "comparator": "about", "value": 7}
        reported_figures.add(session, figure)
        journal.commit(session)
