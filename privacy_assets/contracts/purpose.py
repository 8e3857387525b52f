"""One processing activity: why, on what basis, with which columns, and what may come out.

Belongs here: the typed form of `data/purposes/<purpose>.yaml`. Does not belong here: opening files (`loading.py`),
checking a purpose against its contracts (there too), SQL.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from privacy_assets.contracts.contract import ColumnName, Name, Sentence, Version
from privacy_assets.techniques.pseudonymize import Technique
from privacy_assets.techniques.train import Estimator
from privacy_assets.words import Frozen, LawfulBasis

Share = Annotated[float, Field(gt=0, lt=1)]


class Need(Frozen):
    """Why a purpose needs a column, and what is done to it before anyone works with it."""

    why: Sentence
    technique: Technique


class DatasetUse(Frozen):
    """The columns of one dataset that a purpose needs. What is not named here does not pass minimization."""

    columns: Annotated[dict[ColumnName, Need], Field(min_length=1)]


class Features(Frozen):
    """What one row of the purpose's table is.

    `unit` is the unit of observation in words (person, visit, ward-day), `key` the columns that tell units apart,
    `subject` the column of person tokens (None where the table is about nobody). `sql` is one SELECT over the
    purpose's pseudonymized tables, by dataset name; without it the only dataset is taken as it is. `categories`
    declares the domain of text columns that the SQL makes anew.
    """

    unit: Sentence
    key: Annotated[tuple[ColumnName, ...], Field(min_length=1)]
    subject: ColumnName | None
    sql: Sentence | None = None
    categories: dict[ColumnName, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)


class Split(Frozen):
    """Shares of subjects in each split (they add up to 1), and the seed that deals them."""

    train: Share = 0.7
    validation: Share = 0.15
    test: Share = 0.15
    seed: int = 0

    @model_validator(mode="after")
    def _adds_up(self) -> Split:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("train, validation and test must add up to 1")
        return self


class Training(Frozen):
    """Which form of the data a model sees. `features` is still personal data, so it needs a written `reason`."""

    model_config = ConfigDict(populate_by_name=True)

    source: Annotated[Literal["features"], Field(alias="from")]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=20)]
    split: Split = Split()


class Model(Frozen):
    """What is learned: target, estimator and seed. All other feature columns but key and subject are inputs."""

    task: Literal["classification", "regression"]
    target: ColumnName
    estimator: Estimator
    seed: int = 0


class UtilityFloor(Frozen):
    """The least that a model must reach on the test split, or it is not worth the data: it is not published."""

    metric: Literal["roc_auc", "balanced_accuracy", "accuracy", "r2"]
    at_least: Annotated[float, Field(ge=-1, le=1)]


class Guarantee(Frozen):
    """What the purpose asks of the results."""

    at_least_subjects: Annotated[int, Field(ge=1)] = 10
    utility: UtilityFloor | None = None


class Purpose(Frozen):
    """One processing activity (GDPR art. 30), as `data/purposes/<purpose>.yaml` states it."""

    kind: Literal["Purpose"]
    purpose: Name
    version: Version
    title: Sentence
    why: Sentence
    owner: str
    lawful_basis: LawfulBasis
    recipients: tuple[Sentence, ...] = ()
    retention_days: Annotated[int, Field(ge=1, le=36525)]
    withdrawal_effect_hours: Annotated[int, Field(ge=1, le=720)] = 24
    keep_superseded: Annotated[int, Field(ge=0, le=100)] = 1
    epoch: Annotated[int, Field(ge=1)] = 1
    datasets: Annotated[dict[Name, DatasetUse], Field(min_length=1)]
    features: Features
    guarantee: Guarantee = Guarantee()
    training: Training | None = None
    model: Model | None = None

    @model_validator(mode="after")
    def _model_has_training(self) -> Purpose:
        if self.model is not None and self.training is None:
            raise ValueError("`model` needs `training`: a model is fitted on a training set")
        return self
