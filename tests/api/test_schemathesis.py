"""Schemathesis over the whole OpenAPI, with all its checks, on a seeded registry: it finds nothing.

What it may take for an answer stands in `schemathesis.toml`. An ordinary run draws the same few requests each time;
REGISTRY_TEST_FUZZ=500 draws so many of each operation, others each time.
"""

from __future__ import annotations

import os
import string
import uuid
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from answering import new_key
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from app.main import create_app
from app.registry import Database, checking
from app.settings import Settings

CONFIG = Path(__file__).resolve().parents[2] / "schemathesis.toml"
PHASES = ("examples", "coverage", "fuzzing", "stateful")
#: Requests of each operation in the phases that draw them at random.
DRAWN = int(os.environ.get("REGISTRY_TEST_FUZZ", "2"))
VISIBLE = set(string.digits + string.ascii_letters + string.punctuation)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """A key that was used for another request is refused (422), and would hide what the request itself gets."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) <= 200 and set(key) <= VISIBLE:
        case.headers["Idempotency-Key"] = uuid.uuid4().hex


def loaded(app: Any, phase: str) -> Any:
    """The schema of the app, set to one phase."""
    config = SchemathesisConfig.from_path(str(CONFIG))
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    schema.config.generation.update(deterministic="REGISTRY_TEST_FUZZ" not in os.environ)
    for name in PHASES:
        getattr(schema.config.phases, name).enabled = name == phase
    if phase in ("fuzzing", "stateful"):
        schema.config.generation.update(max_examples=DRAWN * (10 if phase == "stateful" else 1))
    return schema


def failures(recorder: Any) -> list[str]:
    """What a scenario's checks found, each with the request that shows it."""
    return [
        f"{check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample}"
        for checks in recorder.checks.values()
        for check in checks
        if check.failure_info is not None
    ]


@pytest.mark.parametrize("phase", PHASES)
def test_schemathesis_finds_nothing(
    seeded_database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], phase: str
) -> None:
    key = new_key(seeded_database, "admin", "head of desk")
    monkeypatch.setenv("REGISTRY_TEST_KEY", key["Authorization"].removeprefix("Bearer "))
    schema = loaded(create_app(Settings(_env_file=None, log_level="warning"), seeded_database), phase)
    found: list[str] = []
    requests = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            requests += len(event.recorder.cases)
            found += failures(event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(event))
    assert found == [], "\n\n".join(found[:10])
    assert requests > 50
    logged = capsys.readouterr().err
    # The database's own constraints are the last line: a rule must have spoken before them.
    assert "unforeseen constraint" not in logged, logged
    with seeded_database.reading() as session:
        assert checking.check(session) == []
