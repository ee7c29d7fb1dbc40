"""Tables, one file a noun. Importing this package registers them all on `Base.metadata`."""

from app.models.accounts import Account, ApiKey, IdempotencyKey
from app.models.base import Base, Part, Record
from app.models.cities import City, CityIdentifier, CityName, CityPopulation, CitySuccessor
from app.models.countries import Country, CountryAlias
from app.models.journal import Change, RegistryState, Revision
from app.models.organisations import Organisation
from app.models.partnerships import Event, Fragment, Member, Partnership, PartnershipOrganisation, Spell
from app.models.programs import Occasion, Participant, Program
from app.models.sources import Citation, ReportedFigure, Source

#: Journalled records by noun, in the order in which they can be written.
RECORDS: dict[str, type[Record]] = {
    model.NOUN: model for model in (Country, Source, City, Organisation, Partnership, Program, ReportedFigure)
}
#: The parts of each noun's records, in the order in which they can be written.
PARTS: dict[str, tuple[type[Part], ...]] = {
    noun: tuple(
        part
        for part in (
            CountryAlias, CityName, CityIdentifier, CityPopulation, CitySuccessor, Member, Event,
            PartnershipOrganisation, Participant, Occasion, Citation,
        )
        if noun in part.OWNERS
    )
    for noun in RECORDS
}  # fmt: skip

__all__ = [
    "PARTS", "RECORDS", "Account", "ApiKey", "Base", "Change", "Citation", "City", "CityIdentifier",
    "CityName", "CityPopulation", "CitySuccessor", "Country", "CountryAlias", "Event", "Fragment",
    "IdempotencyKey", "Member", "Occasion", "Organisation", "Part", "Participant", "Partnership",
    "PartnershipOrganisation", "Program", "Record", "RegistryState", "ReportedFigure", "Revision", "Source", "Spell",
]  # fmt: skip
