"""The usual way, to compare with: ORM objects with relationships, turned into JSON by response_model; and a bare
constant route of the same size. Served by `bench/serving.py`, never by the registry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, relationship, selectinload

from app.models import Base, City, Country, Member, Partnership
from app.registry.content import table_of


class Mapping(DeclarativeBase):
    """The registry's own tables, mapped once more, with relationships."""

    metadata = Base.metadata


class CountryRow(Mapping):
    __table__ = table_of(Country)


class CityRow(Mapping):
    __table__ = table_of(City)
    land: Mapped[CountryRow] = relationship(CountryRow)


class MemberRow(Mapping):
    __table__ = table_of(Member)
    city: Mapped[CityRow] = relationship(CityRow, foreign_keys=[table_of(Member).c.city_id, table_of(Member).c.country])


class PartnershipRow(Mapping):
    __table__ = table_of(Partnership)
    members: Mapped[list[MemberRow]] = relationship(
        MemberRow,
        primaryjoin=table_of(Partnership).c.id == table_of(Member).c.partnership_id,
        foreign_keys=[table_of(Member).c.partnership_id],
        order_by=table_of(Member).c.id,
    )


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CityOut(Out):
    id: int
    name: str
    country: str
    subdivision: str | None
    latitude: float | None
    longitude: float | None


class MemberOut(Out):
    id: int
    city: CityOut
    status: str
    joined: str | None
    left: str | None


class PartnershipOut(Out):
    id: int
    kind: str
    designation: str | None
    title: str | None
    status: str
    established: str | None
    ended: str | None
    members: list[MemberOut]
    conflicts_count: int
    revision: int
    created_at: str
    updated_at: str


class PageOut(Out):
    items: list[PartnershipOut]
    next: str | None = None
    total: int | None = None


app = FastAPI()
engine = create_engine(os.environ["REGISTRY_DATABASE_URL"], pool_size=40)
CONSTANT = {"text": "x" * int(os.environ.get("BENCH_SIZE", "14000"))}
WAYS: dict[str, Any] = {"selectin": selectinload, "joined": joinedload}


def session() -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


SessionDep = Annotated[Session, Depends(session)]


def _load(way: str) -> Any:
    load = WAYS[way]
    return load(PartnershipRow.members).joinedload(MemberRow.city).joinedload(CityRow.land)


@app.get("/constant")
def constant() -> dict[str, str]:
    """What FastAPI itself costs."""
    return CONSTANT


@app.get("/partnerships", response_model=PageOut)
def list_partnerships(session: SessionDep, way: str = "selectin", limit: int = 50) -> dict[str, Any]:
    """The list of 50, the usual way."""
    statement = select(PartnershipRow).options(_load(way)).order_by(PartnershipRow.__table__.c.id).limit(limit)
    return {"items": session.execute(statement).unique().scalars().all()}


@app.get("/partnerships/{number}", response_model=PartnershipOut)
def show_partnership(session: SessionDep, number: int) -> PartnershipRow:
    """One record, the usual way (without its events, programs and citations)."""
    statement = select(PartnershipRow).options(_load("joined")).where(PartnershipRow.__table__.c.id == number)
    return session.execute(statement).unique().scalars().one()
