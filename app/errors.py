"""What can go wrong, in the field's words. No HTTP here: `api/errors.py` dresses these for the wire.

RegistryError
├── InvalidValue            a value that cannot be (field, reason)
│   ├── InvalidDate         not an EDTF date, or an impossible one
│   ├── InvalidIdentifier   unknown scheme or wrong form
│   └── UnknownReference    something named in the input fits no record, or several (candidates)
├── RecordNotFound          the addressed record is not there
│   ├── RecordDeleted       … because it was deleted (revision)
│   └── RecordMerged        … because it was merged into another (into)
├── StateConflict           the registry's state forbids it
│   ├── CityExists          looks like a city that is known (candidates)
│   ├── PartnershipExists   an unended partnership of these cities and this kind (candidates)
│   ├── EventRefused        the lifecycle does not allow this event here (allowed)
│   ├── StillReferenced     others hang on the record (references)
│   ├── UndoRefused         later changes would be trampled (parts)
│   └── MergeRefused        a tie between the two, or both in one charter (obstacles)
├── StaleRevision           the record has moved on since the caller read it (expected, actual)
├── Unauthenticated         no key, or one that is not valid
├── Forbidden               the key's role does not suffice (needed)
├── NotInstalled            an optional part of the program is not there (extra)
├── RegistryBusy            the write lock was not to be had in time (retry_after, seconds)
└── RegistryDamaged         a file or database that is not what it should be
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class RegistryError(Exception):
    """The root. `message` is a full sentence for people; `field` a path such as `members/0/city`."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def under(self, prefix: str) -> RegistryError:
        """The same error, its field placed below `prefix` (`date` → `events/2/date`)."""
        self.field = f"{prefix}/{self.field}" if self.field else prefix
        return self

    @property
    def details(self) -> dict[str, Any]:
        """Machine-readable extras: JSON-ready, never the caller's own input."""
        return {}


class InvalidValue(RegistryError):
    """A value that cannot be: names the field and the reason."""


class InvalidDate(InvalidValue):
    """Not an EDTF date of the kinds kept here, or a date that does not exist."""


class InvalidIdentifier(InvalidValue):
    """An identifier of an unknown scheme, or not of its scheme's form."""


class _WithCandidates(RegistryError):
    def __init__(self, message: str, *, field: str | None = None, candidates: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__(message, field=field)
        self.candidates = [dict(candidate) for candidate in candidates]

    @property
    def details(self) -> dict[str, Any]:
        return {"candidates": self.candidates} if self.candidates else {}


class UnknownReference(_WithCandidates, InvalidValue):
    """Something named in the input (a city, a source) fits no record, or several: the candidates."""


class RecordNotFound(RegistryError):
    """The addressed record does not exist."""

    def __init__(self, noun: str, key: int | str) -> None:
        super().__init__(f"There is no such record among the {noun.replace('_', ' ')}.")
        self.noun = noun
        self.key = key


class RecordDeleted(RecordNotFound):
    """The addressed record existed and was deleted in `revision`."""

    def __init__(self, noun: str, key: int | str, *, revision: int) -> None:
        super().__init__(noun, key)
        self.message = f"This record was deleted in revision {revision}; its history is still there."
        self.revision = revision

    @property
    def details(self) -> dict[str, Any]:
        return {"deleted_in_revision": self.revision}


class RecordMerged(RecordNotFound):
    """The addressed record was merged into record `into` of the same noun."""

    def __init__(self, noun: str, key: int | str, *, into: int) -> None:
        super().__init__(noun, key)
        self.message = f"This record was merged into {noun}/{into}."
        self.into = into

    @property
    def details(self) -> dict[str, Any]:
        return {"merged_into": self.into}


class StateConflict(RegistryError):
    """What is asked cannot be done to the registry as it stands."""


class CityExists(_WithCandidates, StateConflict):
    """A new city looks like one that is known; insist with a reason if it is another."""


class PartnershipExists(_WithCandidates, StateConflict):
    """The cities already hold an unended partnership."""


class EventRefused(StateConflict):
    """The lifecycle does not allow this event here; `allowed` lists the event types that it does."""

    def __init__(self, message: str, *, field: str | None = None, allowed: Iterable[str] = ()) -> None:
        super().__init__(message, field=field)
        self.allowed = list(allowed)

    @property
    def details(self) -> dict[str, Any]:
        return {"allowed": self.allowed}


class _WithList(StateConflict):
    key = "obstacles"

    def __init__(self, message: str, *, obstacles: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.obstacles = [dict(obstacle) for obstacle in obstacles]

    @property
    def details(self) -> dict[str, Any]:
        return {self.key: self.obstacles}


class StillReferenced(_WithList):
    """Other records hang on this one: deal with them first."""

    key = "references"


class UndoRefused(_WithList):
    """Undoing would trample later changes, or changes nothing any more."""

    key = "parts"


class MergeRefused(_WithList):
    """The two cities cannot be one: a tie between them, or both in one charter at once."""


class StaleRevision(RegistryError):
    """The record has changed since the caller read it."""

    def __init__(self, *, actual: int) -> None:
        super().__init__(
            f"The record has changed: it is at revision {actual} now. Read it again, then repeat the change."
        )
        self.actual = actual

    @property
    def details(self) -> dict[str, Any]:
        return {"actual_revision": self.actual}


class Unauthenticated(RegistryError):
    """No key was given, or one that is unknown, or revoked."""


class Forbidden(RegistryError):
    """The key is good, but its role does not suffice."""


class NotInstalled(RegistryError):
    """What is asked for needs an optional part of the program that is not installed: the `extra`."""

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(
            f"{what} needs a part of the program that is not installed: pip install 'sistercities[{extra}]'."
        )
        self.extra = extra

    @property
    def details(self) -> dict[str, Any]:
        return {"extra": self.extra}


class RegistryBusy(RegistryError):
    """Another writer held the registry for longer than the setting allows."""

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__("Another write is under way and did not finish in time. Nothing was written: try again.")
        self.retry_after = retry_after


class RegistryDamaged(RegistryError):
    """A backup file or a database that is not what it should be."""
