"""JSON Schemas of both kinds of declaration, for editors that complete and check while one types.

Belongs here: the schemas as values. Does not belong here: the checks that count; an editor sees one file, and
`loading.py` sees all.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from pydantic.json_schema import models_json_schema

from privacy_assets.contracts._odcs import API_VERSIONS, TYPES
from privacy_assets.contracts.contract import ColumnPrivacy, DatasetPrivacy, Drafted, Reading
from privacy_assets.contracts.purpose import Purpose

OURS = "privacy."
"""Starts the names of our definitions, so that they do not meet those of the standard."""


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of a `contract` (ODCS's own, with our typed properties) and of a `purpose`."""
    purpose = Purpose.model_json_schema()
    purpose["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return {"contract": _contract(), "purpose": purpose}


def _contract() -> dict[str, Any]:
    # JSON Schema 2019-09: a `$ref` may stand beside other keywords, and all of them count
    schema: dict[str, Any] = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
    _, ours = models_json_schema(
        [(model, "validation") for model in (DatasetPrivacy, ColumnPrivacy, Drafted, Reading)],
        ref_template=f"#/$defs/{OURS}{{model}}",
    )
    definitions = schema["$defs"]
    definitions |= {f"{OURS}{name}": definition for name, definition in ours["$defs"].items()}
    properties = schema["properties"]
    properties["apiVersion"]["enum"] = list(API_VERSIONS)
    properties["schema"] |= {"minItems": 1, "maxItems": 1}
    properties["servers"] |= {"minItems": 1, "maxItems": 1}
    custom = _typed(properties["customProperties"], "drafted", Drafted.__name__, required=False)
    properties["customProperties"] = _typed(custom, "privacy", DatasetPrivacy.__name__)
    schema["required"] = [*schema["required"], "team", "servers", "schema", "customProperties"]
    column = definitions["SchemaProperty"]
    column["properties"] = {
        "customProperties": _typed({"$ref": "#/$defs/CustomProperties"}, "privacy", ColumnPrivacy.__name__),
        "logicalType": {"enum": list(TYPES)},
    }
    column["required"] = [*column["required"], "logicalType", "customProperties"]
    server = definitions["Server"]["properties"]
    server["customProperties"] = _typed(server["customProperties"], "reading", Reading.__name__, required=False)
    return schema


def _typed(custom: dict[str, Any], name: str, model: str, *, required: bool = True) -> dict[str, Any]:
    """A list of custom properties of which the one called `name` holds a `model`."""
    named = {"properties": {"property": {"const": name}}, "required": ["property"]}
    typed = {"if": named, "then": {"properties": {"value": {"$ref": f"#/$defs/{OURS}{model}"}}}}
    return {"allOf": [custom], "items": typed} | ({"contains": named} if required else {})
