"""What a reconciliation client sends inside its form fields, and what the service answers (protocol 0.2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel, model_validator

from app.api.schemas.common import Answer, Body

LONGEST_QUERY = 1000
LONGEST_ID = 300
MOST_TYPES = 50
MOST_PROPERTIES = 50
MOST_VALUES = 50
#: Queries, and ids of a data extension, in one request; beyond them 413.
BATCH_SIZE = 100
MOST_IDS = 1000


def _values(said: Any) -> list[str]:
    """The values of a property as texts: of an entity its id, of `null` and blanks nothing."""
    values = said if isinstance(said, list) else [said]
    if len(values) > MOST_VALUES:
        raise ValueError(f"At most {MOST_VALUES} values are read")
    texts = (_text(value).strip() for value in values)
    return [text for text in texts if text]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("id")
        if not isinstance(value, str):
            raise ValueError("A value that is an entity needs its id, which is a text")
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise ValueError("A value is a text, a number, true or false, or an entity {id, name}")
    return str(value)


def _listed(said: Any) -> Any:
    return [said] if isinstance(said, str) else said


def _whole(said: Any) -> int:
    if isinstance(said, bool) or not isinstance(said, int | float) or said < 1 or said != int(said):
        raise ValueError("This must be a positive whole number")
    return int(said)


def _something(said: str) -> str:
    if not said:
        raise ValueError("This text must not be empty")
    return said


Key = Annotated[str, Field(max_length=LONGEST_ID), AfterValidator(_something)]


class Condition(BaseModel):
    """What is known of a property of the entity that is looked for."""

    model_config = ConfigDict(strict=True)

    pid: Key
    v: Annotated[Any, BeforeValidator(_values)]


class ReconciliationQuery(Body):
    """One query: what an entity is called, what type it is of, and what else is known of it."""

    query: Annotated[str, Field(max_length=LONGEST_QUERY)] | None = Field(default_factory=lambda: None)
    type: Annotated[list[Key], Field(max_length=MOST_TYPES), BeforeValidator(_listed)] = Field(default_factory=list)
    limit: Annotated[int, BeforeValidator(_whole)] | None = Field(default_factory=lambda: None)
    properties: Annotated[list[Condition], Field(max_length=MOST_PROPERTIES)] = Field(default_factory=list)
    type_strict: Literal["any", "should", "all"] = "any"

    @model_validator(mode="after")
    def _says_something(self) -> ReconciliationQuery:
        if self.query is None and not self.properties:
            raise ValueError("A query needs `query`, a text, or `properties`, at least one")
        return self


class PropertyAsked(BaseModel):
    """A property whose values are asked for; what its settings mean is the property's own business."""

    model_config = ConfigDict(strict=True)

    id: Key
    settings: dict[str, Any] = Field(default_factory=dict)


class ExtensionQuery(BaseModel):
    """Entities, and the properties of them that are asked for."""

    model_config = ConfigDict(strict=True)

    ids: list[Key]
    properties: Annotated[list[PropertyAsked], Field(max_length=MOST_PROPERTIES)]


# ── Answers ──


class EntityType(Answer):
    """A type of entities."""

    id: str = Field(examples=["city"])
    name: str = Field(examples=["City"])


class Described(Answer):
    """An entity, a property or a type, with what tells it from its namesakes."""

    id: str
    name: str
    description: str


class ReconciliationFeature(Answer):
    """What a score was made of."""

    id: str = Field(examples=["name"])
    value: float = Field(ge=0, le=1)


class ReconciliationCandidate(Described):
    """An entity that a query may mean. `match`: it is taken for certain."""

    type: list[EntityType]
    score: float = Field(ge=0, le=100)
    features: list[ReconciliationFeature]
    match: bool


class ReconciliationResult(Answer):
    """The candidates of one query, best first."""

    result: list[ReconciliationCandidate]


class SuggestedEntity(Described):
    """An entity whose name begins so."""

    notable: list[EntityType]


class Suggested(BaseModel):
    """Suggestions; `cursor` is there where more follow."""

    result: list[SuggestedEntity | Described]
    cursor: int = Field(0, description="What to send as `cursor` to go on; missing where nothing follows")


class Flyout(Answer):
    """A small preview, to be shown beside a suggestion."""

    id: str
    html: str


class Proposal(Answer):
    """Properties that can be fetched for entities of a type."""

    properties: list[Described]
    type: str = ""
    limit: int = Field(1, ge=1)


class PropertyMeta(Answer):
    """A property as its values are described; `type` where they are entities."""

    id: str
    name: str
    type: EntityType = Field(default_factory=lambda: EntityType(id="", name=""))


class PropertyValue(BaseModel):
    """One value: a text, a number, or an entity."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"str": "34.69,135.5"}, {"int": 8}, {"id": "1", "name": "Chicago"}]},
    )

    str_: str = Field("", alias="str")
    float_: float = Field(0.0, alias="float")
    int_: int = Field(0, alias="int")
    id: str = ""
    name: str = ""


class ExtensionResult(Answer):
    """To `extend`: by the ids that were asked for, the values of each property."""

    meta: list[PropertyMeta]
    rows: dict[str, dict[str, list[PropertyValue]]]


class ViewTemplate(BaseModel):
    """An address with `{{id}}` in it."""

    url: str = Field(examples=["https://example.org/reconcile/view/{{id}}"])


class ServiceManifest(BaseModel):
    """What the service is and what it can do, as the protocol's own schema has it."""

    model_config = ConfigDict(extra="allow")

    versions: list[str]
    name: str
    identifierSpace: str  # noqa: N815  the protocol's own name
    schemaSpace: str  # noqa: N815
    batchSize: int  # noqa: N815
    view: ViewTemplate


class ReconciliationAnswer(RootModel[dict[str, ReconciliationResult] | ExtensionResult]):
    """To `queries`: candidates by the keys of the queries. To `extend`: values by the ids of the entities."""


class ReconciliationOffer(RootModel[ServiceManifest | dict[str, ReconciliationResult] | ExtensionResult]):
    """The manifest; with `queries` or `extend` what POST answers to them."""
