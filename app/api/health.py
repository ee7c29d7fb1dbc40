"""Whether the process lives, and whether it can answer: for whoever watches it."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from app.api.bodies import StrictRoute
from app.api.dependencies import DatabaseDep
from app.api.errors import NotReady
from app.api.openapi import problems
from app.registry import Database, migrating

router = APIRouter(prefix="/health", tags=["health"], route_class=StrictRoute)


class Health(BaseModel):
    """How it stands."""

    status: str


@lru_cache(maxsize=1)
def _needed() -> str:
    return migrating.head()


@router.get("/live", responses=problems(400))
def show_life(response: Response) -> Health:
    """The process answers."""
    response.headers["Cache-Control"] = "no-store"
    return Health(status="live")


@router.get("/ready", responses=problems(400, 503))
def show_readiness(response: Response, database: DatabaseDep) -> Health:
    """The database is reachable, and at the migration that this program needs."""
    if _found(database) != _needed():
        raise NotReady("The database is not at the migration that this program needs.")
    response.headers["Cache-Control"] = "no-store"
    return Health(status="ready")


def _found(database: Database) -> str | None:
    try:
        return migrating.current(database)
    except SQLAlchemyError as error:
        raise NotReady("The database is out of reach.") from error
