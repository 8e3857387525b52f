"""JSON Schemas of both kinds of declaration, for editors that complete and check while one types.

Belongs here: the schemas as values. Does not belong here: the checks that count; an editor sees one file, and
`loading.py` sees all.
"""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import chain
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from privacy_assets.contracts._odcs import API_VERSIONS, TYPES
from privacy_assets.contracts.contract import (
    ColumnPrivacy,
    DatasetPrivacy,
    Deliveries,
    Drafted,
    Invention,
    PostgresConnection,
    Reading,
    S3Connection,
)
from privacy_assets.contracts.purpose import Purpose

OURS = "privacy."
"""Starts the names of our definitions, so that they do not meet those of the standard."""


_OF_SERVERS: dict[str, tuple[type[BaseModel], ...]] = {
    "reading": (Reading,),
    "connection": (PostgresConnection, S3Connection),
    "deliveries": (Deliveries,),
    "generator": (Invention,),
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of a `contract` (ODCS's own, with our typed properties) and of a `purpose`."""
    purpose = Purpose.model_json_schema()
    purpose["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return {"contract": _contract(), "purpose": purpose}


def _contract() -> dict[str, Any]:
    # JSON Schema 2019-09: a `$ref` may stand beside other keywords, and all of them count
    schema: dict[str, Any] = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
    typed: list[type[BaseModel]] = [DatasetPrivacy, ColumnPrivacy, Drafted, *chain.from_iterable(_OF_SERVERS.values())]
    _, ours = models_json_schema(
        [(model, "validation") for model in typed],
        ref_template=f"#/$defs/{OURS}{{model}}",
    )
    definitions = schema["$defs"]
    definitions |= {f"{OURS}{name}": definition for name, definition in ours["$defs"].items()}
    properties = schema["properties"]
    properties["apiVersion"]["enum"] = list(API_VERSIONS)
    properties["schema"] |= {"minItems": 1, "maxItems": 1}
    properties["servers"] |= {"minItems": 1, "maxItems": 1}
    custom = {"allOf": [properties["customProperties"], _held("drafted", Drafted.__name__)]}
    properties["customProperties"] = _typed(custom, "privacy", DatasetPrivacy.__name__)
    schema["required"] = [*schema["required"], "team", "servers", "schema", "customProperties"]
    column = definitions["SchemaProperty"]
    column["properties"] = {
        "customProperties": _typed({"$ref": "#/$defs/CustomProperties"}, "privacy", ColumnPrivacy.__name__),
        "logicalType": {"enum": list(TYPES)},
    }
    column["required"] = [*column["required"], "logicalType", "customProperties"]
    server = definitions["Server"]["properties"]
    server["customProperties"] = {
        "allOf": [
            server["customProperties"],
            *(_held(name, *(model.__name__ for model in models)) for name, models in _OF_SERVERS.items()),
        ]
    }
    return schema


def _typed(custom: dict[str, Any], name: str, model: str) -> dict[str, Any]:
    """A list of custom properties of which one, called `name`, holds a `model`."""
    named = {"properties": {"property": {"const": name}}, "required": ["property"]}
    return {"allOf": [custom], **_held(name, model), "contains": named}


def _held(name: str, *models: str) -> dict[str, Any]:
    """A list of custom properties of which the one called `name`, if it is there, holds one of `models`."""
    named = {"properties": {"property": {"const": name}}, "required": ["property"]}
    ours = [{"$ref": f"#/$defs/{OURS}{model}"} for model in models]
    value = ours[0] if len(ours) == 1 else {"anyOf": ours}
    return {"items": {"if": named, "then": {"properties": {"value": value}}}}
