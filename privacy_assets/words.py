"""The field's words as types: what the rest of the house speaks in.

Belongs here: closed families of names and small frozen values that several rooms use. Does not belong here:
behaviour, files, SQL, anything of Dagster or DuckDB.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from privacy_assets.errors import BadDeclaration
from privacy_assets.weakening import Ranked, Weaker

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Frozen(BaseModel):
    """Base of every declared value: immutable, unknown keys refused, no value echoed in an error, no infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False, validate_default=True
    )


class Stage(StrEnum):
    """The forms that data takes, in the order of the corridor."""

    RAW = "raw"
    MINIMIZED = "minimized"
    PSEUDONYMIZED = "pseudonymized"
    FEATURES = "features"
    ANONYMIZED = "anonymized"
    SYNTHETIC = "synthetic"
    STATISTICS = "statistics"
    TRAINING = "training"
    MODEL = "model"


class Role(StrEnum):
    """What a column can do to a person (ISO/IEC 20889's terms); `attribute` is the least protected."""

    DIRECT_IDENTIFIER = "direct_identifier"
    QUASI_IDENTIFIER = "quasi_identifier"
    SENSITIVE = "sensitive"
    ATTRIBUTE = "attribute"


PROTECTION = Ranked((Role.ATTRIBUTE, (Role.QUASI_IDENTIFIER, Role.SENSITIVE), Role.DIRECT_IDENTIFIER))
"""Which role protects more; of two that protect alike none takes the other's place by itself."""


class LawfulBasis(StrEnum):
    """The six lawful bases of GDPR art. 6(1)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"


class Verdict(StrEnum):
    """What a measurement says. Only `kept` passes."""

    KEPT = "kept"
    BROKEN = "broken"
    INCONCLUSIVE = "inconclusive"


Number = int | float
Numbers = Mapping[str, Number]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant returned for one asset: a verdict with its numbers, never values of people.

    `invariant` is the kind, `about` the column or columns it speaks of ("" for the whole table), `numbers` the
    measured values, `promise` what was asked for in words ("at least 10 rows"). A non-finite number makes it
    inconclusive: no evidence is not a pass.
    """

    invariant: str
    verdict: Verdict
    numbers: Numbers
    promise: str
    about: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", MappingProxyType(dict(self.numbers)))
        if not self.numbers or any(not math.isfinite(number) for number in self.numbers.values()):
            object.__setattr__(self, "verdict", Verdict.INCONCLUSIVE)

    @property
    def name(self) -> str:
        """Unique within an asset, and a legal check name: `invariant` or `invariant__about`."""
        return f"{self.invariant}__{self.about}" if self.about else self.invariant

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        return self.verdict is Verdict.KEPT


@dataclass(frozen=True, slots=True)
class PrivacyLoss:
    """What a release costs one person: (ε, δ)-differential privacy, or ρ-zCDP, which implies it at this δ.

    `rho` is None where the loss is pure: δ is 0 then, and ε alone counts. Otherwise ρ is what counts, and ε is what ρ
    means at `delta`.
    """

    epsilon: float
    delta: float = 0.0
    rho: float | None = None

    def __post_init__(self) -> None:
        numbers = (self.epsilon, self.delta, self.rho or 0.0)
        if not all(math.isfinite(number) and number >= 0 for number in numbers) or self.delta >= 1:
            raise BadDeclaration.of(
                "this is no privacy loss", expected="finite numbers from 0, δ under 1", found=repr(self)
            )
        if (self.rho is None) != (self.delta == 0):
            raise BadDeclaration.of(
                "this is no privacy loss", expected="ρ together with a δ above 0, or neither", found=repr(self)
            )


@dataclass(frozen=True, slots=True, order=True)
class AssetName:
    """Which asset: a stage, a purpose (none for raw), a dataset (none from features on), and which day of it.

    Written as a path, `raw/patients`, `minimized/readmission_model/visits`, `training/readmission_model`, which is
    also its Dagster asset key. Where a dataset is delivered by day, each day of it is kept by itself until it is
    pseudonymized, `raw/visits@2026-11-01`: in Dagster a partition of the asset, here an asset of its own.
    """

    stage: Stage
    purpose: str = ""
    dataset: str = ""
    day: str = ""

    def __post_init__(self) -> None:
        whole = self.stage not in (Stage.RAW, Stage.MINIMIZED, Stage.PSEUDONYMIZED)
        misnamed = (self.stage is Stage.RAW) == bool(self.purpose) or whole == bool(self.dataset)
        if misnamed or (self.day and (whole or not _DAY.fullmatch(self.day))):
            raise BadDeclaration.of(
                "this is not the name of an asset",
                found=str(self),
                expected="raw/<dataset>, (minimized|pseudonymized)/<purpose>/<dataset>, both perhaps with @<day>, or "
                "<a later stage>/<purpose>",
            )

    @property
    def path(self) -> tuple[str, ...]:
        """The parts of the name, as in a Dagster asset key: without the day."""
        return tuple(part for part in (self.stage.value, self.purpose, self.dataset) if part)

    @property
    def whole(self) -> AssetName:
        """The asset of which this is a day, or itself."""
        return replace(self, day="") if self.day else self

    def of(self, day: str) -> AssetName:
        """This day of the asset."""
        return replace(self, day=day)

    def __str__(self) -> str:
        return "/".join(self.path) + (f"@{self.day}" if self.day else "")

    @classmethod
    def parse(cls, text: str) -> AssetName:
        """The name written as a path; raises BadDeclaration with the forms that there are."""
        path, _, day = text.strip("/").partition("@")
        stage, *rest = path.split("/")
        if stage not in set(Stage) or not 1 <= len(rest) <= 2 or not all(rest):
            raise BadDeclaration.of(
                f"there is no asset named {text!r}",
                expected=f"a path that starts with one of {', '.join(Stage)}",
                next_step="`dagster asset list -m definitions` prints every asset",
            )
        if stage == Stage.RAW and len(rest) == 1:
            return cls(Stage.RAW, dataset=rest[0], day=day)
        return cls(Stage(stage), rest[0], rest[1] if len(rest) == 2 else "", day)


class IdentifierDomain(Frozen):
    """The space an identifier lives in: columns of one domain join, and are written alike before they are compared.

    `normalization` is `none` for opaque identifiers, `email`, `name` (NFKC, case, white space) or `phone` (E.164,
    for which `region`, an ISO 3166-1 alpha-2 code, says how a number without a country code is read).
    """

    name: Annotated[Name, Weaker.ANY]
    normalization: Annotated[Literal["none", "email", "name", "phone"], Weaker.ANY] = "none"
    region: Annotated[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None, Weaker.ANY] = None

    @model_validator(mode="after")
    def _phone_has_region(self) -> IdentifierDomain:
        if (self.normalization == "phone") != (self.region is not None):
            raise ValueError("`region` goes with `normalization: phone`, and only with it")
        return self


@dataclass(frozen=True, slots=True)
class Column:
    """A column as a version holds it: name, engine type, and what is still known of it.

    `free_text` is text that people write and read, in which anybody can be named.
    """

    name: str
    type: str
    role: Role = Role.ATTRIBUTE
    category: str = ""
    technique: str = ""
    domain: tuple[str, ...] | None = None
    description: str = ""
    identifier_domain: IdentifierDomain | None = None
    free_text: bool = False
