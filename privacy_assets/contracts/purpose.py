"""One processing activity: why, on what basis, with which columns, and what may come out.

Belongs here: the typed form of `data/purposes/<purpose>.yaml`. Does not belong here: opening files (`loading.py`),
checking a purpose against its contracts (there too), SQL.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from privacy_assets.contracts.contract import ColumnName, Name, Sentence, Version
from privacy_assets.techniques.aggregate import Query
from privacy_assets.techniques.anonymize import Anonymizer
from privacy_assets.techniques.criteria import Criterion
from privacy_assets.techniques.hierarchies import Hierarchy
from privacy_assets.techniques.profiles import Profile
from privacy_assets.techniques.pseudonymize import Technique
from privacy_assets.techniques.synthesize import Synthesizer
from privacy_assets.techniques.train import Estimator, is_private
from privacy_assets.threat_models import ThreatModel
from privacy_assets.weakening import Ranked, Weaker
from privacy_assets.words import Frozen, LawfulBasis

Share = Annotated[float, Field(gt=0, lt=1)]
Values = Annotated[tuple[str, ...], Field(min_length=1)]
Weight = Annotated[float, Field(gt=0, le=1000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=20)]


class Need(Frozen):
    """Why a purpose needs a column, and what is done to it before anyone works with it."""

    why: Annotated[Sentence, Weaker.WORDS]
    technique: Annotated[Technique, Weaker.ANY]


class DatasetUse(Frozen):
    """The columns of one dataset that a purpose needs. What is not named here does not pass minimization."""

    columns: Annotated[dict[ColumnName, Need], Field(min_length=1), Weaker.ADDED]


class Features(Frozen):
    """What one row of the purpose's table is.

    `unit` is the unit of observation in words (person, visit, ward-day), `key` the columns that tell units apart,
    `subject` the column of person tokens (None where the table is about nobody). `sql` is one SELECT over the
    purpose's pseudonymized tables, by dataset name; without it the only dataset is taken as it is. `categories`
    declares the domain of text columns that the SQL makes anew.
    """

    unit: Annotated[Sentence, Weaker.WORDS]
    key: Annotated[tuple[ColumnName, ...], Field(min_length=1), Weaker.ANY]
    subject: Annotated[ColumnName | None, Weaker.ANY]
    sql: Annotated[Sentence | None, Weaker.ANY] = None
    categories: Annotated[dict[ColumnName, Values], Weaker.NONE] = Field(default_factory=dict)


class Split(Frozen):
    """Shares of subjects in each split (they add up to 1), and the seed that deals them."""

    train: Annotated[Share, Weaker.NONE] = 0.7
    validation: Annotated[Share, Weaker.NONE] = 0.15
    test: Annotated[Share, Weaker.NONE] = 0.15
    seed: Annotated[int, Weaker.NONE] = 0

    @model_validator(mode="after")
    def _adds_up(self) -> Split:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("train, validation and test must add up to 1")
        return self


class Training(Frozen):
    """Which form of the data a model sees. `features` is still personal data, so it needs a written `reason`."""

    model_config = ConfigDict(populate_by_name=True)

    source: Annotated[
        Literal["features", "anonymized", "synthetic"],
        Field(alias="from"),
        Ranked(("features", ("anonymized", "synthetic"))),
    ]
    reason: Annotated[Reason | None, Weaker.WORDS] = None
    split: Split = Split()

    @model_validator(mode="after")
    def _personal_data_has_a_reason(self) -> Training:
        if self.source == "features" and self.reason is None:
            raise ValueError("`from: features` is personal data: write the `reason` why nothing less will do")
        return self


class Contribution(Frozen):
    """How many rows of one person count: those with the smallest hash of their key."""

    rows: Annotated[int, Field(ge=1, le=1000), Weaker.MORE]


class Bounds(Frozen):
    """The numbers, or days, that a column can have: from `low` to `high` in steps; what is beyond is the bound."""

    low: Annotated[float | date, Weaker.LESS]
    high: Annotated[float | date, Weaker.MORE]
    step: Annotated[float, Field(gt=0), Weaker.LESS] = 1.0

    @model_validator(mode="after")
    def _rises(self) -> Bounds:
        if isinstance(self.low, date) != isinstance(self.high, date):
            raise ValueError("`low` and `high` are two numbers, or two days")
        if not self.days[0] < self.days[1]:
            raise ValueError("`low` is below `high`")
        return self

    @property
    def days(self) -> tuple[float, float]:
        """Both ends as numbers: days since 1970-01-01."""
        return _as_number(self.low), _as_number(self.high)


def _as_number(end: float | date) -> float:
    return float((end - date(1970, 1, 1)).days) if isinstance(end, date) else end


class Model(Frozen):
    """What is learned: target, estimator and seed. All other feature columns but key and subject are inputs.

    `bounds` of numbers and dates, and the `contribution` that bounds people, are for an estimator under differential
    privacy, which is told what others measure.
    """

    task: Annotated[Literal["classification", "regression"], Weaker.ANY]
    target: Annotated[ColumnName, Weaker.ANY]
    estimator: Annotated[Estimator, Weaker.ANY]
    bounds: Annotated[dict[ColumnName, Bounds], Weaker.NONE] = Field(default_factory=dict)
    contribution: Annotated[Contribution | None, Weaker.REMOVED] = None
    seed: Annotated[int, Weaker.NONE] = 0

    @property
    def differential(self) -> tuple[float, float] | None:
        """(ε, δ) that a version costs a person at most, or None where the estimator is not differentially private."""
        return (self.estimator.epsilon, self.estimator.delta) if is_private(self.estimator) else None

    @model_validator(mode="after")
    def _bounds_people_where_noise_hides_them(self) -> Model:
        if (self.differential is None) != (self.contribution is None):
            raise ValueError(
                "`contribution` (how many rows of a person count) goes with an estimator under differential privacy, "
                "and only with one"
            )
        if self.differential is None and self.bounds:
            raise ValueError("`bounds` are for an estimator under differential privacy: others measure the columns")
        return self


class UtilityFloor(Frozen):
    """The least that a model must reach on the test split, or it is not worth the data: it is not published."""

    metric: Annotated[Literal["roc_auc", "balanced_accuracy", "accuracy", "r2"], Weaker.ANY]
    at_least: Annotated[float, Field(ge=-1, le=1), Weaker.LESS]


class Transfer(Frozen):
    """What a model that learned from the released rows reaches on real people whom it did not learn of.

    `loses_at_most` is how much less it may be than after learning from the real rows. `model` is what is learned:
    the purpose's own where it has one.
    """

    metric: Annotated[Literal["roc_auc", "balanced_accuracy", "accuracy", "r2"], Weaker.ANY]
    at_least: Annotated[float, Field(ge=-1, le=1), Weaker.LESS]
    loses_at_most: Annotated[float, Field(ge=0, le=1), Weaker.MORE]
    model: Annotated[Model | None, Weaker.ANY] = None


class Anonymity(Frozen):
    """The standard that anonymized rows keep: a named `profile`, `criteria`, or both.

    `suppressed_at_most` is the share of rows that may be left out (default: the profile's, 0.05 without one);
    `transfer` says what the rows have to be worth: a model learns from those of the split `train`
    (`training.split`, or its default), and meets the true rows of the others.
    """

    profile: Annotated[Profile | None, Weaker.ELSEWHERE] = None
    criteria: Annotated[tuple[Criterion, ...], Weaker.ELSEWHERE] = ()
    suppressed_at_most: Annotated[Annotated[float, Field(ge=0, le=1)] | None, Weaker.ELSEWHERE] = None
    transfer: Annotated[Transfer | None, Weaker.REMOVED] = None

    @model_validator(mode="after")
    def _asks_something(self) -> Anonymity:
        if self.profile is None and not self.criteria:
            raise ValueError("name a `profile` or `criteria`: what asks nothing promises nothing")
        return self


class Fairness(Frozen):
    """The columns by whose groups it is told what a transformation costs each of them.

    `disparity_at_most` is by how much more than everybody a group may lose: of rows, the share that is left out; of
    what is learned from synthetic rows, the metric of `fidelity.transfer`. `transfer_disparity_at_most` says it of what
    is learned from anonymized rows, by `anonymity.transfer`. None: it is told, and nothing is asked.
    """

    columns: Annotated[tuple[ColumnName, ...], Field(min_length=1), Weaker.REMOVED]
    disparity_at_most: Annotated[Annotated[float, Field(gt=0, le=1)] | None, Weaker.MORE] = None
    transfer_disparity_at_most: Annotated[Annotated[float, Field(gt=0, le=1)] | None, Weaker.MORE] = None


class Fidelity(Frozen):
    """How like the rows that they stand for synthetic ones are, at least.

    Total variation distance from 0 to 1, at most: `marginals` of single columns and `pairs` of two, the mean over all
    of them, numbers in twenty intervals; `rows_per_person` of how many rows one has, where people are drawn.
    """

    marginals: Annotated[float, Field(gt=0, le=1), Weaker.MORE]
    pairs: Annotated[float, Field(gt=0, le=1), Weaker.MORE]
    rows_per_person: Annotated[Annotated[float, Field(gt=0, le=1)] | None, Weaker.MORE] = None
    transfer: Annotated[Transfer | None, Weaker.REMOVED] = None


class DifferentialPrivacy(Frozen):
    """What each release of the statistics may cost one person: pure ε where `delta` is 0, else (ε, δ), dealt as ρ."""

    STRENGTH: ClassVar[int] = 2

    kind: Literal["differential"]
    epsilon: Annotated[float, Field(gt=0, le=20), Weaker.MORE]
    delta: Annotated[float, Field(ge=0, le=1e-3), Weaker.MORE] = 0.0


class Dominance(Frozen):
    """A cell is not told where the `largest` people with most in it have more than `share_at_most` of it."""

    largest: Annotated[int, Field(ge=1, le=10), Weaker.LESS] = 2
    share_at_most: Annotated[float, Field(gt=0, lt=1), Weaker.MORE] = 0.85


class PlainNumbers(Frozen):
    """The numbers as they are, but for cells with fewer people than that, or with few who have most of it."""

    kind: Literal["plain"]
    at_least_subjects: Annotated[int, Field(ge=2, le=10_000), Weaker.LESS]
    dominance: Dominance = Dominance()


class Statistics(Frozen):
    """What is told of the features in numbers, and under which privacy.

    `contribution` bounds people under differential privacy; without noise every row counts.
    """

    privacy: Annotated[DifferentialPrivacy | PlainNumbers, Field(discriminator="kind"), Weaker.ANY]
    contribution: Annotated[Contribution | None, Weaker.REMOVED] = None
    queries: Annotated[dict[Name, Query], Field(min_length=1, max_length=100), Weaker.ADDED]

    @model_validator(mode="after")
    def _bounds_people_where_noise_hides_them(self) -> Statistics:
        differential = isinstance(self.privacy, DifferentialPrivacy)
        if differential and self.contribution is None:
            raise ValueError("`privacy: differential` needs `contribution`: how many rows of a person count")
        if not differential and self.contribution is not None:
            raise ValueError("`contribution` is for `privacy: differential`: plain numbers count every row")
        if not differential and any("weight" in query.model_fields_set for query in self.queries.values()):
            raise ValueError("`weight` is for `privacy: differential`: plain numbers share no loss")
        return self


class RareGroups(Frozen):
    """Groups of `fewer_than` people are rare; the share of rows in such rises by `share_rises_at_most`."""

    fewer_than: Annotated[int, Field(ge=2, le=10_000), Weaker.LESS]
    share_rises_at_most: Annotated[float, Field(ge=0, lt=1), Weaker.MORE]


class Drift(Frozen):
    """By how much a version may be worse than the one before. What is not named is not compared.

    `k_falls_at_most` speaks of the rows of the smallest class of `anonymized`; `rare_groups` of its classes, and of the
    declared categories of the features; `distinct_share_at_most` of each column of both, which looks like an identifier
    beyond; `metric_falls_at_most` of the model's metric in `guarantee.utility`.
    """

    k_falls_at_most: Annotated[Annotated[int, Field(ge=0)] | None, Weaker.MORE] = None
    rare_groups: Annotated[RareGroups | None, Weaker.REMOVED] = None
    distinct_share_at_most: Annotated[Share | None, Weaker.MORE] = None
    metric_falls_at_most: Annotated[Annotated[float, Field(ge=0, le=2)] | None, Weaker.MORE] = None

    @model_validator(mode="after")
    def _compares_something(self) -> Drift:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("name what is compared with the version before: what is not named may drift anywhere")
        return self


class Guarantee(Frozen):
    """What the purpose asks of the results."""

    at_least_subjects: Annotated[int, Field(ge=1), Weaker.LESS] = 10
    anonymity: Annotated[Anonymity | None, Weaker.REMOVED] = None
    withstands: Annotated[ThreatModel | None, Weaker.REMOVED] = None
    fidelity: Annotated[Fidelity | None, Weaker.REMOVED] = None
    fairness: Annotated[Fairness | None, Weaker.REMOVED] = None
    utility: Annotated[UtilityFloor | None, Weaker.REMOVED] = None
    drift: Annotated[Drift | None, Weaker.REMOVED] = None

    @model_validator(mode="after")
    def _drift_has_something_to_compare(self) -> Guarantee:
        if self.drift is not None and self.drift.k_falls_at_most is not None and self.anonymity is None:
            raise ValueError("`drift.k_falls_at_most` needs `anonymity`: it speaks of the classes of anonymized rows")
        if self.drift is not None and self.drift.metric_falls_at_most is not None and self.utility is None:
            raise ValueError("`drift.metric_falls_at_most` needs `utility`: which says the metric")
        return self


class Anonymized(Frozen):
    """How `guarantee.anonymity` is reached: each technique is tried, and the one with the least `quality` is taken.

    `hierarchies` say how a quasi-identifier becomes coarser (default: the value or nothing, where its values are
    declared), `weights` how much a column's loss counts beside that of the others (default 1).
    """

    techniques: Annotated[tuple[Anonymizer, ...], Field(min_length=1), Weaker.ANY]
    hierarchies: Annotated[dict[ColumnName, Hierarchy], Weaker.ANY] = Field(default_factory=dict)
    weights: Annotated[dict[ColumnName, Weight], Weaker.NONE] = Field(default_factory=dict)
    quality: Annotated[Literal["loss", "discernibility", "average_class", "entropy"], Weaker.NONE] = "loss"


class TableDomains(Frozen):
    """What the columns of one table can be, where its contract does not say: numbers and days, and texts."""

    bounds: Annotated[dict[ColumnName, Bounds], Weaker.NONE] = Field(default_factory=dict)
    categories: Annotated[dict[ColumnName, Values], Weaker.NONE] = Field(default_factory=dict)


class Synthetic(Frozen):
    """Rows of nobody, in the place of the features: how they are made, and what each number can be.

    They are learned from the people of the split `train` (`training.split`, or its default), and tried on the others.
    `contribution` bounds how many rows of a person are learned from (default: as many as somebody has, but under
    differential privacy, where it has to be said); `rows` is how many there will be (default: as many as were
    learned from, with noise under differential privacy).

    A synthesizer of several tables draws people with their rows, at most `contribution` in a table, and the features'
    SQL makes the rows of them: `tables` says what the columns of the purpose's tables can be, and `rows` is the least.
    """

    synthesizer: Annotated[Synthesizer, Weaker.ANY]
    bounds: Annotated[dict[ColumnName, Bounds], Weaker.NONE] = Field(default_factory=dict)
    tables: Annotated[dict[Name, TableDomains], Weaker.NONE] = Field(default_factory=dict)
    contribution: Annotated[Contribution | None, Weaker.REMOVED] = None
    rows: Annotated[Annotated[int, Field(ge=100, le=10_000_000)] | None, Weaker.ANY] = None
    seed: Annotated[int, Field(ge=0, lt=2**32), Weaker.NONE] = 0

    @property
    def differential(self) -> tuple[float, float] | None:
        """(ε, δ) that a version costs a person at most, or None where the synthesizer is not differentially private."""
        asked = self.synthesizer
        return (asked.epsilon, asked.delta) if hasattr(asked, "epsilon") else None

    @model_validator(mode="after")
    def _bounds_people_where_noise_hides_them(self) -> Synthetic:
        if self.differential is not None and self.contribution is None:
            raise ValueError("differential privacy needs `contribution`: how many rows of a person are learned from")
        return self


class Purpose(Frozen):
    """One processing activity (GDPR art. 30), as `data/purposes/<purpose>.yaml` states it."""

    kind: Literal["Purpose"]
    purpose: Annotated[Name, Weaker.ELSEWHERE]
    version: Annotated[Version, Weaker.ELSEWHERE]
    title: Annotated[Sentence, Weaker.WORDS]
    why: Annotated[Sentence, Weaker.WORDS]
    owner: Annotated[str, Weaker.ANY]
    lawful_basis: Annotated[LawfulBasis, Weaker.ANY]
    recipients: Annotated[tuple[Sentence, ...], Weaker.ADDED] = ()
    retention_days: Annotated[int, Field(ge=1, le=36525), Weaker.MORE]
    withdrawal_effect_hours: Annotated[int, Field(ge=1, le=720), Weaker.MORE] = 24
    keep_superseded: Annotated[int, Field(ge=0, le=100), Weaker.MORE] = 1
    epoch: Annotated[int, Field(ge=1), Weaker.LESS] = 1
    datasets: Annotated[dict[Name, DatasetUse], Field(min_length=1), Weaker.ADDED]
    features: Features
    guarantee: Guarantee = Guarantee()
    anonymized: Annotated[Anonymized | None, Weaker.ADDED] = None
    synthetic: Annotated[Synthetic | None, Weaker.ADDED] = None
    statistics: Annotated[Statistics | None, Weaker.ADDED] = None
    training: Annotated[Training | None, Weaker.ADDED] = None
    model: Annotated[Model | None, Weaker.ADDED] = None

    @model_validator(mode="after")
    def _model_has_training(self) -> Purpose:
        if self.model is not None and self.training is None:
            raise ValueError("`model` needs `training`: a model is fitted on a training set")
        return self

    @model_validator(mode="after")
    def _anonymized_has_a_guarantee(self) -> Purpose:
        if self.anonymized is not None and self.guarantee.anonymity is None:
            raise ValueError("`anonymized` needs `guarantee.anonymity`: what it has to keep")
        if self.guarantee.anonymity is not None and self.anonymized is None:
            raise ValueError("`guarantee.anonymity` needs `anonymized`: how it is reached")
        if self.training is not None and self.training.source == "anonymized" and self.anonymized is None:
            raise ValueError("`training.from: anonymized` needs `anonymized`")
        return self

    @model_validator(mode="after")
    def _synthetic_has_a_guarantee_and_a_floor(self) -> Purpose:
        if self.synthetic is not None and self.guarantee.withstands is None:
            raise ValueError("`synthetic` needs `guarantee.withstands`: which attacks it has to survive")
        if self.guarantee.withstands is not None and not (self.synthetic or self.anonymized or self.model):
            raise ValueError("`guarantee.withstands` speaks of what is released: `anonymized`, `synthetic` or `model`")
        if (self.synthetic is None) != (self.guarantee.fidelity is None):
            raise ValueError("`synthetic` and `guarantee.fidelity` (how like the real rows it is) need each other")
        if self.training is not None and self.training.source == "synthetic" and self.synthetic is None:
            raise ValueError("`training.from: synthetic` needs `synthetic`")
        return self

    @model_validator(mode="after")
    def _transfer_has_a_model(self) -> Purpose:
        asked, fair = self.guarantee, self.guarantee.fairness
        of_anonymized = asked.anonymity.transfer if asked.anonymity else None
        of_synthetic = asked.fidelity.transfer if asked.fidelity else None
        for transfer in (of_anonymized, of_synthetic):
            if transfer is not None and transfer.model is None and self.model is None:
                raise ValueError("`transfer` needs a `model`: its own, or the purpose's")
        if fair is not None and fair.transfer_disparity_at_most is not None and of_anonymized is None:
            raise ValueError("`transfer_disparity_at_most` needs `anonymity.transfer`: by which metric a group loses")
        return self
