"""What a declaration means, as one text: canonical JSON, whose SHA-256 is the digest that the ledger names; and back.

Belongs here: that text, for contracts and purposes alike. Does not belong here: the files that people write
(`loading.py`), keeping texts (`warehouse/declarations.py`).

It has every value, also those that are left at their default and the rows of public hierarchies that lie in files of
their own; no comment, no order of keys, and nothing of where the declaration lies. Secrets are names of variables.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.errors import BadEnvironment

APART = ("path", "digest", "drafted")
"""What a contract has besides what it means."""


def text_of(declared: Contract | Purpose) -> str:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    meaning: Any = declared
    if isinstance(declared, Contract):
        meaning = {name: value for name, value in dataclasses.asdict(declared).items() if name not in APART}
    return json.dumps(
        meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain, allow_nan=False
    )


def digest_of(text: str) -> str:
    """SHA-256 (hex) of the text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(kind: str, text: str) -> Contract | Purpose:
    """The contract or purpose (`kind`) that `text_of` made this text of, without where it lay and how it was drafted.

    Raises BadEnvironment where another release of the program wrote it, and this one means something else by it.
    """
    declared: Contract | Purpose | None
    try:
        if kind == "contract":
            apart = dict.fromkeys(APART, "") | {"drafted": None}
            declared = _contracts().validate_json(json.dumps(json.loads(text) | apart))
        else:
            declared = Purpose.model_validate_json(text)
    except ValidationError:
        declared = None
    if declared is None or text_of(declared) != text:
        raise BadEnvironment.of(
            f"this {kind} was written by a release that this one does not understand",
            where=digest_of(text),
            next_step="use the release that wrote it to compare it; its text can be printed by any",
        )
    return declared


@cache
def _contracts() -> TypeAdapter[Contract]:
    return TypeAdapter(Contract)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(type(value).__name__)
