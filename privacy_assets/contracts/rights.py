"""What a purpose may do with a column that is made of several datasets: what all of them permit, and no more.

A column of the features comes from the datasets whose values flow into it, and from those that decide which rows there
are: a join with a list of people tells who is in the list. All that is made later is made of the features, so that the
right to any of it is the intersection over the datasets about people that their SQL reads:

* *lawful bases* (GDPR art. 6): the purpose's basis is one that every contract permits;
* *third parties* (art. 4(10)): a recipient whom any contract of the project calls one is named by every contract;
* *retention*: the shortest counts (`checks.py` holds the purpose to each contract's).

Datasets about nobody permit everything. Those that a purpose does not name, and that are read for people's sake (their
decisions, and what is known of them that free text must not tell), grant no right and take none.

Belongs here: that intersection, and refusing a purpose that asks for more. Does not belong here: what a single contract
says of its dataset, the purpose's other faults (`checks.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from privacy_assets.contracts._faults import Faults
from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.features_sql import FeatureQuery
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.words import LawfulBasis

_MOST_NAMED = 3


def bases(used: Iterable[Contract]) -> frozenset[LawfulBasis]:
    """The lawful bases that all of these contracts permit; all there are, where nobody is in any of the datasets."""
    permitted = frozenset(LawfulBasis)
    for contract in _about_people(used):
        permitted &= frozenset(contract.privacy.lawful_bases)
    return permitted


def check(
    purpose: Purpose,
    features: FeatureQuery | None,
    used: Mapping[str, Contract],
    contracts: Mapping[str, Contract],
    faults: Faults,
) -> None:
    """Note what the datasets of a purpose, `used`, do not permit together. `features` is None where it has faults."""
    people = list(_about_people(used.values()))
    if not bases(people):
        faults.add(
            ("lawful_basis",),
            f"no lawful basis is permitted for {_derived(features, people)}",
            expected="one that the contract of each dataset permits",
            found="; ".join(f"`{one.name}` permits {', '.join(one.privacy.lawful_bases)}" for one in people),
            next_step="make a purpose for each dataset; or, only where its people were told of the other basis, add "
            "that to `lawful_bases` of the contract",
        )
    outside = {party for contract in contracts.values() for party in contract.privacy.third_parties}
    for place, recipient in enumerate(purpose.recipients):
        if recipient not in outside:
            continue
        without = [contract for contract in people if recipient not in contract.privacy.third_parties]
        if without:
            told = (f"`{one.name}` permits {', '.join(one.privacy.third_parties) or 'nobody'}" for one in people)
            faults.add(
                ("recipients", place),
                f"this is a third party, and may not be given {_derived(features, without)}",
                expected="third parties whom the contract of each dataset names",
                found="; ".join(told),
                next_step="leave the recipient out, or the dataset; only where people of "
                + " and ".join(f"`{one.name}`" for one in without)
                + " were told, add it to `third_parties` of the contract",
            )


def _about_people(used: Iterable[Contract]) -> Iterable[Contract]:
    return (contract for contract in used if contract.subject_column is not None)


def _derived(features: FeatureQuery | None, of: Sequence[Contract]) -> str:
    """The columns that these datasets have a part in: by value those that are made of most of them, else by rows."""
    names = {contract.name for contract in of}
    if features is None or not names & features.datasets:
        return f"what is made of {_listed(sorted(names))}"
    made = {column.name: sorted(features.made_of[column.name] & names) for column in features.columns}
    most = max(map(len, made.values()))
    columns = [name for name, datasets in made.items() if len(datasets) == most]
    by_value = sorted({dataset for name in columns for dataset in made[name]})
    told = f"{_listed(columns)} of the features"
    if by_value:
        told += f", made of {_listed(by_value)}"
    if deciding := sorted((names & features.datasets) - set(by_value)):
        told += f", whose rows {_listed(deciding)} decide{'s' if len(deciding) == 1 else ''}"
    return told


def _listed(names: Collection[str]) -> str:
    told = [f"`{name}`" for name in names]
    if len(told) > _MOST_NAMED:
        told = [*told[:_MOST_NAMED], f"{len(told) - _MOST_NAMED} more"]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
