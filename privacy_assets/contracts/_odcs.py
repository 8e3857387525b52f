"""From a file of the Open Data Contract Standard to the contract that the house works with.

Belongs here: what we take from ODCS (https://bitol-io.github.io/open-data-contract-standard/), what we refuse because
nobody here would keep it, and the checks of one contract alone. Does not belong here: checks against other contracts
or purposes (`checks.py`).

A promise that is written down and measured by nobody is worse than none: whatever of ODCS constrains the data but is
not measured (quality rules, options of logical types, partitions, nested columns) is refused, not ignored.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from open_data_contract_standard.model import (
    OpenDataContractStandard,
    SchemaProperty,
)
from pydantic import BaseModel

from privacy_assets.contracts._extension import extension
from privacy_assets.contracts._faults import Faults, echo, parse
from privacy_assets.contracts._servers import source_of
from privacy_assets.contracts._yaml import Document, Place
from privacy_assets.contracts.contract import (
    ROW,
    ColumnPrivacy,
    Contract,
    ContractColumn,
    DatasetPrivacy,
    Drafted,
)
from privacy_assets.contracts.meaning import digest_of, text_of
from privacy_assets.words import LawfulBasis, Role

API_VERSIONS = ("v3.1.0", "v3.2.0")

TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("VARCHAR",),
    "integer": ("BIGINT", "INTEGER", "SMALLINT"),
    "number": ("DOUBLE", "FLOAT", "DECIMAL"),
    "boolean": ("BOOLEAN",),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP",),
    "time": ("TIME",),
}
"""Logical type -> the engine's types that may stand for it; the first is taken where no physical type is given."""

INTEGERS = frozenset(TYPES["integer"])
DECISIONS = ("granted", "withdrawn", "objected")
HOURS: Mapping[str, int] = {"h": 1, "hr": 1, "hour": 1, "hours": 1, "d": 24, "day": 24, "days": 24}
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
TEAM = re.compile(r"team:[A-Za-z0-9][A-Za-z0-9_-]{0,62}")

_DECIMAL = re.compile(r"DECIMAL\(\s*([0-9]{1,2})\s*,\s*([0-9]{1,2})\s*\)")
_UNKEPT_IN_SCHEMA = {"quality": "quality rules"}
_UNKEPT_IN_COLUMN = {
    "quality": "quality rules",
    "logicalTypeOptions": "options of the logical type",
    "partitioned": "partitions",
    "properties": "nested columns",
    "items": "nested columns",
    "map": "nested columns",
    "encryptedName": "a second name for encrypted values",
}


def contract(document: Document, name: str, faults: Faults) -> Contract | None:
    """The contract that a document states; None, with every fault noted, where it states none.

    `name` is the stem of its file, which is the name of the dataset.
    """
    before = len(faults.found)
    odcs = parse(OpenDataContractStandard, faults)
    if odcs is None:
        return None
    _check_head(odcs, faults)
    schema = _the_one(odcs.schema_, ("schema",), "schema object", faults)
    privacy = extension(DatasetPrivacy, "privacy", odcs.customProperties, (), faults, required=True)
    drafted = extension(Drafted, "drafted", odcs.customProperties, (), faults, required=False)
    owner = _owner(odcs, faults)
    fresh = _fresh_within_hours(odcs, faults)
    server = _the_one(odcs.servers, ("servers",), "server", faults)
    source = source_of(server, schema, faults) if server else None
    columns: list[ContractColumn] = []
    if schema:
        place: Place = ("schema", 0)
        if schema.name != name:
            faults.add(
                (*place, "name"),
                "the schema object is not named as the file",
                expected=f"`{name}`",
                found=echo(schema.name),
                next_step="dataset, schema object and file have one name",
            )
        _check_unkept(schema, _UNKEPT_IN_SCHEMA, place, faults)
        if not schema.properties:
            faults.add(place, "there are no columns", next_step="list each column under `properties:`")
        for index, column in enumerate(schema.properties or ()):
            read = _column(column, (*place, "properties", index), faults)
            if read is not None:
                columns.append(read)
        _check_names(schema.properties or [], faults)
    if len(faults.found) > before or schema is None or privacy is None or source is None:
        return None
    stated = Contract(
        name=name,
        version=odcs.version or "",
        title=odcs.name or schema.businessName or name,
        description=(odcs.description.purpose if odcs.description else None) or schema.description or "",
        owner=owner,
        columns=tuple(columns),
        primary_key=_primary_key(schema.properties or [], faults),
        privacy=privacy,
        source=source,
        fresh_within_hours=fresh,
        path=document.file,
        digest="",
        drafted=drafted,
    )
    _check_privacy(stated, faults)
    if len(faults.found) > before:
        return None
    return dataclasses.replace(stated, digest=digest_of(text_of(stated)))


def aliases(document: Document) -> dict[Place, Place]:
    """Where a contract's parts stand in its document: ("privacy",), ("drafted",), ("source",), ("columns", name, …)."""
    found: dict[Place, Place] = {("source",): ("servers", 0)}
    for name in ("privacy", "drafted"):
        if (index := _index_of(document, (), name)) is not None:
            found[name,] = ("customProperties", index, "value")
    for position, column in enumerate(document.at(("schema", 0, "properties")) or ()):
        place: Place = ("schema", 0, "properties", position)
        found["columns", column["name"]] = place
        if (index := _index_of(document, place, "privacy")) is not None:
            found["columns", column["name"], "privacy"] = (*place, "customProperties", index, "value")
    return found


def _index_of(document: Document, place: Place, name: str) -> int | None:
    properties = document.at((*place, "customProperties")) or ()
    return next((index for index, custom in enumerate(properties) if custom.get("property") == name), None)


def _check_head(odcs: OpenDataContractStandard, faults: Faults) -> None:
    if odcs.kind != "DataContract":
        faults.add(("kind",), "`kind` is not a data contract", expected="`DataContract`", found=echo(odcs.kind))
    if odcs.apiVersion not in API_VERSIONS:
        faults.unknown(
            ("apiVersion",), "this version of ODCS is not read here", odcs.apiVersion or "", API_VERSIONS,
            found=echo(odcs.apiVersion),
        )  # fmt: skip
    if not odcs.id:
        faults.add(("id",), "`id` is missing", next_step="add `id:`, a name for this contract that never changes")
    if not re.fullmatch(r"\d+\.\d+\.\d+", odcs.version or ""):
        faults.add(
            ("version",), "`version` is not a semantic version", expected="`1.0.0`", found=echo(odcs.version)
        )  # fmt: skip


def _the_one(items: list[Any] | None, place: Place, what: str, faults: Faults) -> Any:
    if items and len(items) == 1:
        return items[0]
    faults.add(place, f"a contract has exactly one {what}", expected=f"one {what}", found=str(len(items or ())))
    return None


def _check_unkept(item: BaseModel, unkept: Mapping[str, str], place: Place, faults: Faults) -> None:
    for key, what in unkept.items():
        if getattr(item, key):
            faults.add(
                (*place, key),
                f"{what} are not measured here, so they may not be promised",
                next_step=f"remove `{key}:`; `required`, `unique`, `primaryKey` and `enum` are measured",
            )


def owner_fault(owner: str) -> str:
    """What is wrong with an owner; "" if it is a team or an e-mail address."""
    if TEAM.fullmatch(owner) or EMAIL.fullmatch(owner):
        return ""
    return "an owner is a team or an e-mail address"


def _owner(odcs: OpenDataContractStandard, faults: Faults) -> str:
    team = odcs.team
    if team is None or isinstance(team, list) or not team.name:
        faults.add(("team",), "the contract has no owner", expected="team: {name: …}", next_step="name the team")
        return ""
    owner = team.name if EMAIL.fullmatch(team.name) else f"team:{team.name.removeprefix('team:')}"
    if what := owner_fault(owner):
        faults.add(
            ("team", "name"),
            what,
            expected="letters, digits, `-` and `_`, or an e-mail address",
            found=echo(team.name),
        )
    return owner


def _fresh_within_hours(odcs: OpenDataContractStandard, faults: Faults) -> int | None:
    hours: list[int] = []
    for index, sla in enumerate(odcs.slaProperties or ()):
        place: Place = ("slaProperties", index)
        if sla.property != "latency":
            faults.add(
                (*place, "property"),
                "this service level is not measured here, so it may not be promised",
                expected="`latency`",
                found=echo(sla.property),
                next_step="retention is declared in the property `privacy`"
                if sla.property == "retention"
                else "remove it",
            )
            continue
        unit, value = HOURS.get(sla.unit or ""), sla.value
        if unit is None:
            faults.unknown(
                (*place, "unit"), "`latency` is in hours or days", sla.unit or "", HOURS, found=echo(sla.unit)
            )
        elif (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value <= 0
            or value * unit != int(value * unit)
        ):
            faults.add(
                (*place, "value"), "`latency` is not a whole number of hours", expected="1 or more", found=echo(value)
            )
        else:
            hours.append(int(value * unit))
    if len(hours) > 1:
        faults.add(("slaProperties",), "`latency` stands here twice", next_step="keep one")
    return hours[0] if hours else None


def _column(column: SchemaProperty, place: Place, faults: Faults) -> ContractColumn | None:
    before = len(faults.found)
    name = column.name or ""
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > 128:
        faults.add(place, "a column has no proper name", expected="1 to 128 visible characters", found=echo(name))
    elif name.startswith("_"):
        faults.add(
            (*place, "name"), "names that start with `_` are ours", found=echo(name), next_step="rename the column"
        )
    if column.physicalName is not None and column.physicalName != name:
        faults.add(
            (*place, "physicalName"),
            "a column is read by its name alone",
            expected=echo(name),
            found=echo(column.physicalName),
        )
    if column.examples:
        faults.add(
            (*place, "examples"),
            "examples can be values of people",
            next_step="remove `examples:`; invented ones can stand in `description:`",
        )
    _check_unkept(column, _UNKEPT_IN_COLUMN, place, faults)
    if column.primaryKey and column.required is False:
        faults.add(
            (*place, "required"), "a column of the primary key is always required", next_step="remove `required: false`"
        )
    engine_type = _type(column, place, faults)
    privacy = extension(ColumnPrivacy, "privacy", column.customProperties, place, faults, required=True)
    if privacy is not None:
        _check_category(privacy.category, place, faults)
        if column.enum and privacy.role is Role.DIRECT_IDENTIFIER:
            faults.add((*place, "enum"), "the values of a direct identifier are people", next_step="remove `enum:`")
        if privacy.free_text:
            _check_free_text(column, privacy, place, faults)
    domain = _domain(column, engine_type, place, faults) if engine_type else None
    if len(faults.found) > before or engine_type is None or privacy is None:
        return None
    return ContractColumn(
        name=name,
        type=engine_type,
        privacy=privacy,
        required=bool(column.required or column.primaryKey),
        unique=bool(column.unique),
        domain=domain,
        description=column.description or "",
    )


def _check_free_text(column: SchemaProperty, privacy: ColumnPrivacy, place: Place, faults: Faults) -> None:
    """Free text is a string that stands for nothing else: no category, no identifier."""
    index = _index_of(faults.document, place, "privacy")
    at: Place = (*place, "customProperties", index or 0, "value")
    if column.logicalType != "string":
        faults.add(
            (*at, "free_text"), "only a string can be free text", expected="`logicalType: string`",
            found=echo(column.logicalType), next_step="remove `free_text:`",
        )  # fmt: skip
    if column.enum:
        faults.add((*place, "enum"), "free text has no declared categories", next_step="remove `enum:` or `free_text:`")
    if privacy.identifier_domain is not None:
        faults.add(
            (*at, "identifier_domain"), "free text is no identifier, so nothing joins by it",
            next_step="remove `identifier_domain:` or `free_text:`",
        )  # fmt: skip


def _type(column: SchemaProperty, place: Place, faults: Faults) -> str | None:
    allowed = TYPES.get(column.logicalType or "")
    if allowed is None:
        at = (*place, "logicalType")
        faults.unknown(
            at, "this logical type is not read here", column.logicalType or "", TYPES, found=echo(column.logicalType)
        )
        return None
    if column.physicalType is None:
        return allowed[0]
    asked = column.physicalType.strip().upper()
    decimal = _DECIMAL.fullmatch(asked)
    if decimal and "DECIMAL" in allowed:
        precision, scale = int(decimal[1]), int(decimal[2])
        if 1 <= precision <= 38 and scale <= precision:
            return f"DECIMAL({precision},{scale})"
    elif asked in allowed and asked != "DECIMAL":
        return asked
    faults.add(
        (*place, "physicalType"),
        f"this physical type does not fit the logical type `{column.logicalType}`",
        expected="one of " + ", ".join("DECIMAL(p,s) with s ≤ p ≤ 38" if one == "DECIMAL" else one for one in allowed),
        found=echo(column.physicalType),
    )
    return None


def _domain(column: SchemaProperty, engine_type: str, place: Place, faults: Faults) -> tuple[str, ...] | None:
    """The declared categories as text; they are not echoed, a pasted list could name people."""
    if column.enum is None:
        return None
    at: Place = (*place, "enum")
    kind = {"VARCHAR": str}.get(engine_type, int if engine_type in INTEGERS else None)
    if kind is None:
        faults.add(
            at, "only text and whole numbers have declared categories", found=engine_type, next_step="remove `enum:`"
        )
        return None
    if not column.enum:
        faults.add(at, "the declared domain is empty", next_step="list its values: `- value: …`")
        return None
    values: list[str] = []
    for index, entry in enumerate(column.enum):
        if type(entry.value) is not kind:
            what = "text (in quotes)" if kind is str else "a whole number"
            faults.add((*at, index), "a category is not of the column's type", expected=what)
        elif str(entry.value) in values:
            faults.add((*at, index), "a category stands here twice", next_step="keep one")
        else:
            values.append(str(entry.value))
    return tuple(values)


@cache
def categories() -> frozenset[str]:
    """The keys of Fides' default taxonomy of data categories."""
    from fideslang.default_taxonomy import DEFAULT_TAXONOMY

    return frozenset(category.fides_key for category in DEFAULT_TAXONOMY.data_category)


def _check_category(category: str, place: Place, faults: Faults) -> None:
    known = categories()
    if category in known:
        return
    index = _index_of(faults.document, place, "privacy")
    at: Place = (*place, "customProperties", index or 0, "value", "category")
    # all 85 would bury the message: the nearest branch that exists is listed, or the first level
    branch = category
    while "." in branch and branch not in known:
        branch = branch.rpartition(".")[0]
    listed = [one for one in known if f"{one}.".startswith(f"{branch}.")] if "." in branch else []
    listed = listed or [one for one in known if one.count(".") == 1]
    faults.unknown(at, "the Fides taxonomy has no such data category", category, listed)


def _check_names(columns: list[SchemaProperty], faults: Faults) -> None:
    seen: dict[str, str] = {}
    for index, column in enumerate(columns):
        name = column.name or ""
        # one name for the engine (no case) and for the checks that are named after columns (letters, digits, _)
        plain = re.sub(r"[^a-z0-9]", "_", name.casefold())
        if plain in seen:
            faults.add(
                ("schema", 0, "properties", index, "name"),
                "two columns have names that cannot be told apart",
                expected="names that differ in letters or digits, not in case or punctuation alone",
                found=f"{echo(seen[plain])} and {echo(name)}",
            )
        seen.setdefault(plain, name)


def _primary_key(columns: list[SchemaProperty], faults: Faults) -> tuple[str, ...]:
    keys = [(column.primaryKeyPosition, index) for index, column in enumerate(columns) if column.primaryKey]
    positions = [position for position, _ in keys if position is not None]
    if positions and sorted(positions) != list(range(1, len(keys) + 1)):
        faults.add(
            ("schema", 0, "properties", keys[0][1]),
            "the positions in the primary key do not add up",
            expected=f"`primaryKeyPosition` from 1 to {len(keys)}, each once, or none at all",
            found=", ".join(map(str, positions)),
        )
        return ()
    return tuple(columns[index].name or "" for _, index in (sorted(keys) if positions else keys))


def _check_privacy(stated: Contract, faults: Faults) -> None:
    """What the privacy extension says must fit the columns."""
    place = aliases(faults.document)["privacy",]
    privacy = stated.privacy
    columns = {column.name: column for column in stated.columns}

    def column(at: Place, name: str) -> ContractColumn | None:
        if name not in columns:
            faults.unknown((*place, *at), "there is no such column in this contract", name, columns)
        return columns.get(name)

    def required(at: Place, found: ContractColumn, why: str) -> None:
        if not found.required:
            faults.add((*place, *at), f"`{found.name}` must be required: {why}", next_step="set `required: true` on it")

    def of_type(at: Place, found: ContractColumn, *types: str) -> None:
        if found.type not in types:
            faults.add(
                (*place, *at), f"`{found.name}` has the wrong type", expected=" or ".join(types), found=found.type
            )

    if privacy.subject is None:
        if personal := [f"`{one.name}`" for one in stated.columns if one.privacy.role is not Role.ATTRIBUTE]:
            faults.add(
                (*place, "subject"),
                "the rows are said to be about nobody, and columns say something of a person",
                expected="the role `attribute` for every column, or a data subject",
                found=", ".join(personal),
            )
    elif privacy.subject.column is None:
        if len(stated.name) > 63 - len(ROW):
            faults.add((*place, "subject"), "without a subject column, the dataset's name has at most 59 characters")
        if privacy.consents:
            faults.add(
                (*place, "consents"),
                "decisions cannot be matched to rows without a subject column",
                next_step="declare `subject.column`, or remove `consents`",
            )
    elif subject := column(("subject", "column"), privacy.subject.column):
        at = ("subject", "column")
        required(at, subject, "a row without it belongs to nobody and could not be erased")
        if subject.privacy.role is not Role.DIRECT_IDENTIFIER:
            faults.add((*place, *at), f"`{subject.name}` names the person, so it is a direct identifier",
                       found=f"role: {subject.privacy.role}")  # fmt: skip
        if subject.privacy.identifier_domain is None:
            faults.add(
                (*place, *at), f"`{subject.name}` has no identifier domain", next_step="add `identifier_domain:` to it"
            )
    if stated.deliveries and privacy.subject is not None and privacy.subject.column is None:
        faults.add(
            (*place, "subject"),
            "rows of different days have the same numbers, so that a number names several persons",
            next_step="declare `subject.column`; a dataset that is delivered by day needs it",
        )
    if stated.deliveries and privacy.consent_records:
        faults.add(
            (*place, "consent_records"),
            "decisions are asked as a whole: the last one counts, on whatever day it was delivered",
            next_step="take `{day}` out of the path, and name all files by a pattern",
        )
    if LawfulBasis.CONSENT in privacy.lawful_bases and privacy.subject is not None and not privacy.consents:
        faults.add(
            (*place, "lawful_bases"),
            "the lawful basis is consent, but nothing says who consented",
            next_step="add `consents:`, the dataset that records decisions",
        )
    if privacy.consents and privacy.subject is None:
        faults.add((*place, "consents"), "the rows are about nobody, so nobody decides about them")
    if privacy.retention and (found := column(("retention", "column"), privacy.retention.column)):
        of_type(("retention", "column"), found, "DATE", "TIMESTAMP")
        required(("retention", "column"), found, "a row without it would be kept forever")
    if privacy.consent_records:
        if privacy.quarantine_at_most > 0:
            faults.add(
                (*place, "quarantine_at_most"),
                "a decision in quarantine would not be honoured",
                expected="`quarantine_at_most: 0.0`, as this dataset records decisions",
                found=f"{privacy.quarantine_at_most:g}",
            )
        for field in type(privacy.consent_records).model_fields:
            at = ("consent_records", field)
            if recorded := column(at, getattr(privacy.consent_records, field)):
                required(at, recorded, "a decision without it cannot be honoured")
                if field in ("purpose", "decision"):
                    of_type(at, recorded, "VARCHAR")
                if field == "decided_at":
                    of_type(at, recorded, "TIMESTAMP", "DATE")
                if field == "purpose" and recorded.domain is None:
                    faults.add(
                        (*place, *at),
                        f"`{recorded.name}` may hold names that are no purpose, whose decisions nobody would honour",
                        expected="an `enum` of the purposes that are decided about",
                    )
                if field == "decision" and not set(recorded.domain or ("",)) <= set(DECISIONS):
                    faults.add(
                        (*place, *at),
                        f"`{recorded.name}` may hold decisions that are not understood",
                        expected=f"an `enum` of {', '.join(DECISIONS)}",
                    )
