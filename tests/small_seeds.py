"""A folder of seeds with a few rows of everything, for tests that need no more: right ones, as they stand."""

from __future__ import annotations

from pathlib import Path

SMALL = {
    "countries": "- {code: AD, alpha3: AND, name: Andorra, continent: EU, aliases: [Principat]}\n"
    "- {code: US, alpha3: USA, name: United States, continent: NA}\n",
    "sources": "- {key: S1, title: A letter}\n- {key: S2, title: Another letter}\n",
    "cities": "- {ref: parish, name: Canillo Vell, country: AD, kind: parish, part_of: valley}\n"
    "- ref: valley\n"
    "  name: Canillo\n"
    "  country: AD\n"
    "  kind: region\n"
    "  latitude: 42.56\n"
    "  longitude: 1.6\n"
    "  names:\n"
    "    - {text: Sant Serni, kind: former}\n"
    "  identifiers: [wikidata:Q24260]\n"
    "  populations: [{people: 4000, year: 2010}]\n"
    "  citations:\n"
    "    - {source: S1, field: populations/2010, value: 4000}\n"
    "- {ref: town, name: Ordino, country: AD, kind: town}\n",
    "organisations": "- {ref: school, name: A school, kind: school, city: valley}\n",
    "partnerships": "- members: [valley, town]\n"
    "  kind: sister_city\n"
    "  events:\n"
    "    - {type: signed, date: 1973-02}\n"
    "    - type: ended\n"
    "      date: 1999\n"
    "      declared_by: town\n"
    "  organisations: [{organisation: school, role: coordinates}]\n"
    "  citations: [{source: S1, field: members, city: town}]\n"
    "- members: [valley, town]\n"
    "  kind: sister_city\n"
    "  events: [{type: signed, date: 2001}]\n"
    "- members: [valley, town]\n"
    "  kind: friendship_city\n"
    "- {members: [parish, town, valley], kind: charter, title: Three}\n",
    "programs": "- partnership: [town, valley]\n"
    "  kind: friendship_city\n"
    "  name: Letters\n"
    "  category: culture\n"
    "  participants: [{organisation: school, side: valley}]\n"
    "  occasions: [{title: First, origin: town, host: valley}]\n",
    "reported_figures": "- source: S1\n"
    "  scope: Ties\n"
    "  measure: partnerships\n"
    "  value: 3\n"
    "  comparator: about\n"
    "  as_of: 2001\n"
    "  countries: [AD, US]\n",
}


def write(folder: Path) -> Path:
    """The folder, made, with one file a noun in it."""
    folder.mkdir()
    for noun, text in SMALL.items():
        (folder / f"{noun}.yaml").write_text(text, encoding="utf-8")
    return folder
