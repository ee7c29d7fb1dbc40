"""Every knob: name, default, one line why. Read from `REGISTRY_*` variables, then from `.env`."""

from __future__ import annotations

from functools import lru_cache

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import InvalidValue

PREFIX = "REGISTRY_"


class Settings(BaseSettings):
    """The settings of one process. Each field is the variable `REGISTRY_<FIELD>` in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field("sqlite:///registry.db", description="Where the registry lies (SQLAlchemy URL)")
    host: str = Field("127.0.0.1", description="Address to serve at; this machine only unless changed")
    port: int = Field(8000, ge=0, le=65535, description="Port to serve at; 0 takes a free one")
    public_url: str | None = Field(
        None, description="Absolute address for links; without it links are relative (a Host can be forged)"
    )
    seed_on_serve: bool = Field(True, description="Load the seeds into an empty registry on `serve`")
    write_wait: float = Field(
        5.0, gt=0, le=600, description="Seconds a write waits for another one before it answers 503"
    )
    body_limit: int = Field(1_048_576, ge=1024, description="Largest request body, in bytes; beyond it 413")
    import_limit: int = Field(
        1_073_741_824, ge=1024, description="Largest file of an import over HTTP, in bytes; beyond it 413"
    )
    json_depth: int = Field(32, ge=4, le=200, description="Deepest nesting of a JSON body")
    idempotency_hours: int = Field(24, ge=1, description="How long the answer to an Idempotency-Key is kept")
    reads_at_once: int = Field(
        0,
        ge=0,
        le=500,
        description="Reads computed at once; 0: one on SQLite, where more are slower, eight else",
    )
    threads: int = Field(40, ge=1, le=500, description="Requests answered at once; also the database connections")
    wikidata_endpoint: str = Field(
        "https://query.wikidata.org/sparql",
        description="Where Wikidata is asked: any SPARQL endpoint that keeps its data",
    )
    wikidata_contact: str = Field(
        "", description="Whom the endpoint's people may write to, an address or a page: they ask every client for it"
    )
    wikidata_languages: str = Field(
        "en", description="Names are fetched in these languages (en,ja,de); the first that exists names the city"
    )
    wikidata_page_size: int = Field(
        1000, ge=10, le=10_000, description="Statements listed by one question; halved where it takes too long"
    )
    wikidata_timeout: float = Field(
        75.0, gt=0, le=3600, description="Seconds to wait for an answer; the public endpoint itself gives up after 60"
    )
    wikidata_attempts: int = Field(5, ge=1, le=20, description="How often one question is tried before giving up")
    wikidata_pause: float = Field(0.5, ge=0, le=60, description="Seconds between two questions, out of politeness")
    wikidata_keep_hours: float = Field(
        48.0, ge=0, le=8760, description="How long fetched answers are used again, by an `--apply` or to go on"
    )
    wikidata_cache: str = Field("", description="Folder for these answers; the user's cache folder unless given")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="How much is logged")
    log_format: str = Field("text", pattern="^(text|json)$", description="`json` for machines that collect logs")


@lru_cache(maxsize=1)
def load() -> Settings:
    """The settings of this process; a bad one is named with its reason."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = f"{PREFIX}{str(first['loc'][0]).upper()}"
        raise InvalidValue(f"The setting {name} cannot be used: {first['msg']}.", field=name) from None
