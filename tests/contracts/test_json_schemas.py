"""The schemas that editors get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from privacy_assets.contracts.json_schemas import json_schemas
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for below in schema.values():
            yield from references(below)
    elif isinstance(schema, list):
        for below in schema:
            yield from references(below)


def resolve(schema: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        schema = schema[part]
    return schema


def test_every_reference_leads_somewhere() -> None:
    """An editor can follow every reference within the schema itself."""
    for schema in json_schemas().values():
        for reference in references(schema):
            assert isinstance(resolve(schema, reference), dict)


def test_schemas_are_json() -> None:
    """They can be written to a file as they are."""
    assert json.loads(json.dumps(json_schemas())) == json_schemas()


def test_a_purpose_knows_every_technique() -> None:
    """A technique that is there is offered by the editor."""
    text = json.dumps(json_schemas()["purpose"])
    assert all(f'"{kind}"' in text for kind in PSEUDONYMIZE)
    assert '"from"' in text


def test_a_contract_is_the_standard_with_our_properties() -> None:
    """ODCS's own schema stays, and the places of our typed properties lead to their types."""
    schema = json_schemas()["contract"]
    assert schema["title"] == "Open Data Contract Standard (ODCS)"

    def model(custom: dict[str, Any]) -> set[str]:
        held = custom["items"]["then"]["properties"]["value"]
        return {name for one in held.get("anyOf", [held]) for name in resolve(schema, one["$ref"])["properties"]}

    assert "lawful_bases" in model(schema["properties"]["customProperties"])
    assert "guessed" in model(schema["properties"]["customProperties"]["allOf"][0]["allOf"][1])
    assert {"role", "category"} <= model(schema["$defs"]["SchemaProperty"]["properties"]["customProperties"])
    *_, reading, connection, deliveries, generator = schema["$defs"]["Server"]["properties"]["customProperties"][
        "allOf"
    ]
    assert "null_text" in model(reading)
    assert {"sslmode_because", "plaintext_because"} <= model(connection)
    assert model(deliveries) == {"by", "since"}
    assert model(generator) == {"rows", "seed"}
