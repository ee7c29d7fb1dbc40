"""What a row of a file says, before anybody asks what it means. Readers and the Wikidata client make these;
the importer matches, judges and writes them.

Everything here is text and numbers as found, only normalised in form: dates are EDTF, numbers are numbers,
identifiers are `scheme:value`. Whether a city or country of that name exists is the matcher's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """A city as a row speaks of it. `country` and `subdivision` as written (names, codes, "Texas, United States");
    `identifiers` as `wikidata:Q1297`; coordinates both or neither, in degrees; `city` is our own number."""

    name: str = ""
    country: str = ""
    subdivision: str = ""
    latitude: float | None = None
    longitude: float | None = None
    identifiers: tuple[str, ...] = ()
    city: int | None = None
    kind: str | None = None
    population: int | None = None
    names: tuple[tuple[str, str], ...] = ()
    """Other names: (text, BCP 47 language)."""


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """An event of the lifecycle: its type, and its date as EDTF where one is known."""

    type: str
    date: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SourceNamed:
    """A document that a row names: by its `key` in the registry, by its title, or by its address."""

    title: str = ""
    url: str = ""
    key: str = ""
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be taken: the column (canonical name) and the reason, with the fix, in words."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartnershipRow:
    """One agreement between the places of a row. `status`: as the row has it, one of the registry's, where a
    column gives it; `faults`: what could not be read (the row is refused with the first of them)."""

    number: int
    places: tuple[Place, ...]
    kind: str | None = None
    designation: str | None = None
    title: str | None = None
    note: str | None = None
    status: str | None = None
    events: tuple[DatedEvent, ...] = ()
    sources: tuple[SourceNamed, ...] = ()
    remarks: tuple[str, ...] = ()
    """What the reader mended and the report says: "latitude and longitude were swapped"."""
    faults: tuple[Fault, ...] = field(default=())
