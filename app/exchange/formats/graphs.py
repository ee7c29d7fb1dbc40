"""GraphML and GEXF: the network as analysts' programs read it.

A city is a node, a pair an edge. An agreement of more than two cities is a node of its own (its `type` is `charter`)
with an edge to each member, never an edge between every two of them. Edges have no direction. Node ids are `c12` and
`p7`, edge ids `p7` (a pair) and `p7-c12` (a member of a charter).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from app.exchange import flat
from app.exchange.flat import Column, Type, own
from app.registry.paging import Item

Batch = list[Item]
#: What XML 1.0 cannot hold, however it is written.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Element:
    """A node or an edge: its id, its two ends (an edge's), its label, and the values of the columns of its kind."""

    id: str
    label: str
    values: Sequence[Any]
    ends: tuple[str, str] | None = None


def _constant(name: str, value: str) -> Column:
    return Column(name, "text", lambda _item: value)


CITY_COLUMNS = (
    _constant("type", "city"), own("name"), own("country"), own("kind"), own("subdivision"),
    own("latitude", "number"), own("longitude", "number"),
)  # fmt: skip
LINK_COLUMNS = (
    own("kind"), own("designation"), own("title"), own("status"), *flat.dated("established"), *flat.dated("ended"),
    own("distance_km", "number"), own("programs_count", "integer"), own("conflicts_count", "integer"),
)  # fmt: skip
CHARTER = _constant("type", "charter")
MEMBER_COLUMNS = (_constant("kind", "member"), own("status"), *flat.dated("joined"), *flat.dated("left"))


def _merged(*groups: Iterable[Column]) -> list[tuple[str, Type]]:
    return list({column.name: (column.name, column.type) for group in groups for column in group}.values())


#: All attributes that nodes and edges may have: name and type.
NODE_KEYS = _merged(CITY_COLUMNS, (CHARTER, own("title")), LINK_COLUMNS)
EDGE_KEYS = _merged(LINK_COLUMNS, MEMBER_COLUMNS)


def _values(item: Item, columns: Iterable[Column], keys: list[tuple[str, Type]]) -> list[Any]:
    said = {column.name: column.read(item) for column in columns}
    return [said.get(name) for name, _ in keys]


def city_node(item: Item) -> Element:
    """The node of a city."""
    return Element(f"c{item['id']}", item["name"], _values(item, CITY_COLUMNS, NODE_KEYS))


def charter_node(item: Item) -> Element:
    """The node of an agreement of more than two cities."""
    label = item["title"] or item["designation"] or item["kind"]
    return Element(f"p{item['id']}", label, _values(item, (CHARTER, *LINK_COLUMNS), NODE_KEYS))


def is_charter(item: Item) -> bool:
    """Whether a partnership is more than a pair."""
    return len(flat.places(item)) != flat.PAIR


def edges(item: Item) -> Iterator[Element]:
    """The edge of a pair, or one to each member of a charter."""
    cities = flat.places(item)
    number = item["id"]
    if not is_charter(item):
        ends = (f"c{cities[0]['id']}", f"c{cities[1]['id']}")
        yield Element(f"p{number}", item["kind"], _values(item, LINK_COLUMNS, EDGE_KEYS), ends)
        return
    newest = {member["city"]["id"]: member for member in item["members"]}
    for city, member in newest.items():
        ends = (f"p{number}", f"c{city}")
        yield Element(f"p{number}-c{city}", "member", _values(member, MEMBER_COLUMNS, EDGE_KEYS), ends)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a graph is written: what stands before and after, between nodes and edges, and one element."""

    media_type: str
    head: str
    between: str
    foot: str
    write: Callable[[Element], str]


def stream(dialect: Dialect, cities: Iterable[Batch], partnerships: Callable[[], Iterable[Batch]]) -> Iterator[bytes]:
    """The document: nodes of `cities`, nodes of charters, then edges; the partnerships are gone through twice. A
    document that was cut does not end in its closing element, and no reader of XML takes it."""
    yield dialect.head.encode()
    for batch in cities:
        yield "".join(dialect.write(city_node(item)) for item in batch).encode()
    for batch in partnerships():
        yield "".join(dialect.write(charter_node(item)) for item in batch if is_charter(item)).encode()
    yield dialect.between.encode()
    for batch in partnerships():
        yield "".join(dialect.write(edge) for item in batch for edge in edges(item)).encode()
    yield dialect.foot.encode()


def text(value: Any) -> str:
    """A value as XML holds it. What XML has no way to write becomes U+FFFD."""
    return escape(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def attribute(value: Any) -> str:
    """A value as a quoted attribute; its line breaks stay."""
    cleaned = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
    return quoteattr(cleaned, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


# ── GraphML ──

_GRAPHML_TYPES = {"integer": "long", "number": "double", "text": "string", "date": "string", "json": "string"}


def _graphml_keys() -> str:
    kinds = (("node", "n", [("label", "text"), *NODE_KEYS]), ("edge", "e", [("label", "text"), *EDGE_KEYS]))
    return "".join(
        f'  <key id="{short}_{name}" for="{kind}" attr.name="{name}" attr.type="{_GRAPHML_TYPES[type]}"/>\n'
        for kind, short, keys in kinds
        for name, type in keys
    )


def _graphml(element: Element) -> str:
    keys, short = (NODE_KEYS, "n") if element.ends is None else (EDGE_KEYS, "e")
    data = "".join(
        f'<data key="{short}_{name}">{text(value)}</data>'
        for (name, _), value in zip([("label", "text"), *keys], [element.label, *element.values], strict=True)
        if value is not None
    )
    if element.ends is None:
        return f'    <node id="{element.id}">{data}</node>\n'
    source, target = element.ends
    return f'    <edge id="{element.id}" source="{source}" target="{target}">{data}</edge>\n'


GRAPHML = Dialect(
    media_type="application/graphml+xml",
    head='<?xml version="1.0" encoding="UTF-8"?>\n'
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns'
    ' http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
    f'{_graphml_keys()}  <graph id="partnerships" edgedefault="undirected">\n',
    between="",
    foot="  </graph>\n</graphml>\n",
    write=_graphml,
)

# ── GEXF ──

_GEXF_TYPES = {"integer": "long", "number": "double", "text": "string", "date": "string", "json": "string"}


def _gexf_keys() -> str:
    return "".join(
        f'    <attributes class="{kind}">\n'
        + "".join(f'      <attribute id="{name}" title="{name}" type="{_GEXF_TYPES[type]}"/>\n' for name, type in keys)
        + "    </attributes>\n"
        for kind, keys in (("node", NODE_KEYS), ("edge", EDGE_KEYS))
    )


def _gexf(element: Element) -> str:
    keys = NODE_KEYS if element.ends is None else EDGE_KEYS
    values = "".join(
        f'<attvalue for="{name}" value={attribute(value)}/>'
        for (name, _), value in zip(keys, element.values, strict=True)
        if value is not None
    )
    kind, ends = "node", ""
    if element.ends is not None:
        kind, ends = "edge", f' source="{element.ends[0]}" target="{element.ends[1]}"'
    label = attribute(element.label)
    return f'      <{kind} id="{element.id}"{ends} label={label}><attvalues>{values}</attvalues></{kind}>\n'


GEXF = Dialect(
    media_type="application/gexf+xml",
    head='<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gexf xmlns="http://gexf.net/1.3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://gexf.net/1.3 http://gexf.net/1.3/gexf.xsd" version="1.3">\n'
    f'  <graph defaultedgetype="undirected" mode="static">\n{_gexf_keys()}    <nodes>\n',
    between="    </nodes>\n    <edges>\n",
    foot="    </edges>\n  </graph>\n</gexf>\n",
    write=_gexf,
)
