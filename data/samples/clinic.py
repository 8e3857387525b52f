"""Invents a clinic: 20,000 patients, their visits, and what they decided about the use of their data.

    python data/samples/clinic.py [--out FOLDER] [--patients N] [--seed N]

Writes `patients.csv`, `visits.csv` and `consents.csv`, the same bytes for the same number of patients and the same
seed (and the same versions of Faker and NumPy). Nobody in them lives: names are drawn from Faker's lists, the
postcode area QX does not exist, telephone numbers are from the ranges that Ofcom keeps for drama, e-mail addresses
from the domains that RFC 2606 keeps for examples.

What depends on what, so that there is something to learn and something to protect:

    district ─► deprivation ─► smoking, insurance, chronic conditions, emergencies, readmission
    age, smoking, frailty ─► chronic conditions ─► diagnosis ─► ward, severity ─► length of stay
    season ─► diagnosis, length of stay
    severity, length of stay, prior visits, chronic conditions, age … ─► readmission within 30 days
    readmission, chronic conditions ─► when the next visit begins

`readmitted` and `prior_visits` agree with the visits in the file; visits that end in the last month before `TODAY` are
left out, as their 30 days are not over. A few visits lie in 2012 to 2014, beyond any sensible retention. A few rows
are broken on purpose, as they are in every real export (`_break`).

Belongs here: the invention. Does not belong here: reading, checking or protecting what was invented.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faker import Faker
from numpy.typing import NDArray

Array = NDArray[Any]
Table = tuple[Sequence[str], list[list[str]]]
"""Names of the columns, and rows of cells as they are written."""

OPENED = np.datetime64("2021-06-01")
TODAY = np.datetime64("2026-06-30")
"""The day of the export. Fixed, so that the bytes do not depend on the day on which the script runs."""
LAST_DISCHARGE = TODAY - 30

DISTRICTS = np.array([f"QX{number}" for number in range(10, 34)])
EXCHANGES = np.array(
    ["113 496 0", "114 496 0", "116 496 0", "117 496 0", "118 496 0", "121 496 0", "131 496 0"]
    + ["141 496 0", "151 496 0", "161 496 0", "191 498 0", "20 7946 0", "29 2018 0", "28 9649 6"]
)
"""Ofcom's numbers for drama, of those that `phonenumbers` takes for valid: a thousand each, three digits missing."""
PHONE_FORMS = (
    lambda area, rest: f"+44 {area} {rest}",
    lambda area, rest: f"0{area} {rest}",
    lambda area, rest: f"(0{area}) {rest}",
    lambda area, rest: f"0{area}{rest.replace(' ', '')}",
    lambda area, rest: f"0044 {area} {rest.replace(' ', '')}",
    lambda area, rest: f"0{area}-{rest.replace(' ', '-')}",
)
MAIL_HOSTS = np.array(["example.org", "example.com", "example.net"])

# one row a diagnosis group: how common it is, and how that changes with age (decades over 55), chronic conditions,
# smoking and deprivation; then what it adds to severity, to log length of stay and to the log odds of readmission
DIAGNOSES = {
    "cardiac": (0.2, 0.35, 0.50, 0.3, 0.10, 0.3, 0.15, 0.25),
    "respiratory": (0.0, 0.10, 0.45, 0.7, 0.20, 0.2, 0.10, 0.30),
    "orthopaedic": (0.6, 0.10, -0.20, 0.0, 0.00, -0.3, 0.25, -0.45),
    "digestive": (0.5, 0.00, 0.05, 0.1, 0.05, -0.1, -0.15, 0.00),
    "neurological": (-0.5, 0.30, 0.15, 0.1, 0.00, 0.3, 0.30, 0.10),
    "cancer": (-0.5, 0.30, 0.00, 0.3, 0.00, 0.5, 0.30, 0.45),
    "maternity": (0.8, 0.00, -0.20, -0.1, 0.05, -0.7, -0.30, -0.90),
    "mental_health": (-0.3, -0.15, 0.05, 0.3, 0.25, 0.0, 0.70, 0.30),
    "infection": (0.0, 0.10, 0.20, 0.1, 0.15, 0.1, 0.00, 0.15),
}
USUAL_WARD = {
    "cardiac": "cardiology",
    "respiratory": "respiratory_medicine",
    "orthopaedic": "surgery",
    "digestive": "surgery",
    "neurological": "neurology",
    "cancer": "oncology",
    "maternity": "maternity",
    "mental_health": "psychiatry",
    "infection": "general_medicine",
}
WARDS = np.array([*dict.fromkeys(USUAL_WARD.values()), "geriatrics", "intensive_care"])
STAFF_OF_A_WARD = 6


@dataclass(frozen=True)
class Patients:
    """Who they are, as columns of equal length; `deprivation` and `frailty` (mean 0, s.d. about 1) are in no file."""

    patient_id: Array
    birth_date: Array
    sex: Array
    district: Array
    deprivation: Array
    frailty: Array
    smoker: Array

    def __len__(self) -> int:
        return len(self.patient_id)


@dataclass(frozen=True)
class Visits:
    """What happened to them, one element a visit, in order of admission; `patient` is a position in Patients."""

    patient: Array
    admitted_on: Array
    discharged_on: Array
    ward: Array
    diagnosis_group: Array
    severity: Array
    prior_visits: Array
    emergency: Array
    readmitted: Array


def invent(patients: int, seed: int) -> Mapping[str, Table]:
    """The three tables by name: `patients`, `visits`, `consents`. At least 100 patients; about three visits each."""
    if patients < 100:
        raise ValueError(f"a clinic has at least 100 patients, not {patients}")
    rng = np.random.default_rng(seed)
    people = _people(patients, rng)
    visits = _visits(people, rng)
    first_seen = np.full(patients, TODAY)
    np.minimum.at(first_seen, visits.patient, visits.admitted_on)
    registered = np.maximum(people.birth_date, first_seen - rng.exponential(900, patients).astype(int))
    last_seen = registered.copy()
    np.maximum.at(last_seen, visits.patient, visits.discharged_on)

    tables = {
        "patients": _patient_rows(people, registered, last_seen, seed, rng),
        "visits": _visit_rows(people, visits, rng),
        "consents": _consent_rows(people, registered, rng),
    }
    _break(tables, rng)
    return tables


def _people(count: int, rng: np.random.Generator) -> Patients:
    age = np.clip(rng.normal(57, 21, count), 18.1, 97) + (TODAY - OPENED).astype(int) / 365.25
    sex = rng.choice(["female", "male", "other"], count, p=[0.515, 0.475, 0.01])
    wealth = rng.permutation(np.linspace(-1.6, 1.6, len(DISTRICTS)))
    lives_in = rng.integers(len(DISTRICTS), size=count)
    deprivation = wealth[lives_in] + rng.normal(0, 0.3, count)
    smokes = _chance(-1.5 + 0.5 * deprivation - 0.015 * (age - 55) + 0.2 * (sex == "male"), rng)
    smoked = _chance(-1.0 + 0.02 * (age - 55), rng)
    return Patients(
        patient_id=_identifiers("P", 7, count, rng),
        birth_date=TODAY - (age * 365.25).astype(int),
        sex=sex,
        district=DISTRICTS[lives_in],
        deprivation=deprivation,
        frailty=rng.normal(0, 1, count),
        smoker=np.where(smokes, "current", np.where(smoked, "former", "never")),
    )


def _visits(people: Patients, rng: np.random.Generator) -> Visits:
    """One visit of everyone after the other, until each one's next admission lies beyond the last discharge."""
    count = len(people)
    days_open = (LAST_DISCHARGE - OPENED).astype(int)
    admitted = OPENED + (days_open * rng.beta(1, 1.3, count)).astype(int)
    # the first hundredth was here once long ago; half of them never came back
    long_ago, returns = np.arange(count) < count // 100, rng.random(count) < 0.5
    came_back = np.where(returns, admitted, TODAY)
    admitted = np.where(long_ago, np.datetime64("2012-03-01") + rng.integers(900, size=count), admitted)

    kinds = np.array([*DIAGNOSES])
    common, by_age, by_chronic, by_smoking, by_deprivation, severer, longer, again = np.array([*DIAGNOSES.values()]).T
    usual_ward = np.array([USUAL_WARD[kind] for kind in kinds])
    smokes = (people.smoker == "current").astype(float)
    rounds: list[tuple[Array, ...]] = []
    here, prior = np.arange(count), np.zeros(count, int)
    while here.size:
        size = here.size
        age = (admitted[here] - people.birth_date[here]).astype(int) / 365.25
        decades = (age - 55) / 10
        deprived, smoking, frail = people.deprivation[here], smokes[here], people.frailty[here]
        chronic = rng.binomial(5, _share(-1.9 + 0.38 * decades + 0.4 * smoking + 0.25 * deprived + 0.6 * frail))

        weight = common + np.outer(decades, by_age) + np.outer(chronic, by_chronic) + np.outer(smoking, by_smoking)
        weight += np.outer(deprived, by_deprivation) + rng.gumbel(size=(size, len(kinds)))
        winter = np.cos(2 * np.pi * (admitted[here] - np.datetime64("2020-01-15")).astype(int) / 365.25)
        weight[:, np.isin(kinds, ["respiratory", "infection"])] += 0.4 * winter[:, None]
        may_give_birth = (people.sex[here] == "female") & (age < 46)
        weight[~may_give_birth, np.flatnonzero(kinds == "maternity")[0]] = -np.inf
        kind = weight.argmax(axis=1)

        emergency = _chance(-0.4 + 0.12 * decades + 0.25 * deprived + 0.15 * chronic + 0.4 * severer[kind], rng)
        strain = 2.3 + 0.12 * decades + 0.18 * chronic + 0.5 * emergency + severer[kind] + rng.normal(0, 0.8, size)
        severity = np.clip(np.rint(strain), 1, 5).astype(int)
        log_stay = 0.75 + 0.3 * (severity - 2) + 0.07 * decades + 0.2 * emergency + 0.1 * winter + longer[kind]
        stay = np.minimum(rng.lognormal(log_stay, 0.5), 90).astype(int)
        ward = np.where(rng.random(size) < 0.88, usual_ward[kind], "general_medicine")
        ward = np.where((age > 77) & (rng.random(size) < 0.4), "geriatrics", ward)
        ward = np.where((severity == 5) & (rng.random(size) < 0.6), "intensive_care", ward)

        odds = -3.8 + 0.34 * (severity - 2) + 0.22 * chronic + 0.18 * np.minimum(prior[here], 6) + again[kind]
        odds += 0.035 * np.minimum(stay, 21) + 0.2 * deprived + 0.25 * smoking + 0.05 * decades + 0.25 * frail
        old = long_ago[here] & (prior[here] == 0)
        readmitted = _chance(odds + 0.25 * emergency, rng) & ~old

        discharged = admitted[here] + stay
        rounds.append(
            (here, admitted[here], discharged, ward, kinds[kind], severity, prior[here], emergency, readmitted)
        )
        soon = rng.integers(1, 31, size)
        later = 31 + rng.exponential(680 * np.exp(-0.3 * chronic)).astype(int)
        admitted[here] = np.where(old, came_back[here], discharged + np.where(readmitted, soon, later))
        prior[here] += 1
        here = here[admitted[here] <= LAST_DISCHARGE]

    columns = [np.concatenate(parts) for parts in zip(*rounds, strict=True)]
    complete = columns[2] <= LAST_DISCHARGE
    order = np.lexsort((columns[0][complete], columns[1][complete]))
    return Visits(*(column[complete][order] for column in columns))


def _patient_rows(people: Patients, registered: Array, last_seen: Array, seed: int, rng: np.random.Generator) -> Table:
    count = len(people)
    fake = Faker("en_GB")
    fake.seed_instance(seed)
    families = np.array([fake.last_name() for _ in range(1500)])
    streets = np.array([fake.street_name() for _ in range(1000)])
    given_names = {
        "female": np.array([fake.first_name_female() for _ in range(400)]),
        "male": np.array([fake.first_name_male() for _ in range(400)]),
    }
    female = (people.sex == "female") | ((people.sex == "other") & (rng.random(count) < 0.5))
    given = np.where(female, rng.choice(given_names["female"], count), rng.choice(given_names["male"], count))
    family = rng.choice(families, count)
    street = np.char.add(np.char.add(rng.integers(1, 160, count).astype(str), " "), rng.choice(streets, count))
    inward = rng.choice(list("ABDEFGHJLNPQRSTUWXYZ"), (count, 2))

    age = (TODAY - people.birth_date).astype(int) / 365.25
    married = np.where(_chance(-1.2 + 0.05 * (age - 30), rng), "married", rng.choice(["single", "partnered"], count))
    married = np.where((age > 32) & (rng.random(count) < 0.14), "divorced", married)
    married = np.where(_chance(-3 + 0.13 * (age - 70), rng) & (age > 45), "widowed", married)
    private = _chance(-2.2 - 0.7 * people.deprivation, rng)
    insurance = np.where(private, "private", np.where(rng.random(count) < 0.02, "self_paying", "public"))

    mails = _mails(given, family, people.birth_date, rng)
    has_mail = ~_chance(-3.5 + 0.06 * (age - 55), rng)
    phones = _phones(count, rng)
    has_phone = rng.random(count) < 0.96
    header = ["patient_id", "given_name", "family_name", "birth_date", "sex", "email", "phone", "street", "postcode"]
    header += ["marital_status", "smoker", "insurance", "registered_on", "last_seen_on"]
    columns = [
        people.patient_id,
        given,
        family,
        people.birth_date,
        people.sex,
        np.where(has_mail, mails, ""),
        np.where(has_phone, phones, ""),
        street,
        [
            f"{outward} {digit}{first}{second}"
            for outward, digit, (first, second) in zip(people.district, rng.integers(1, 10, count), inward, strict=True)
        ],
        married,
        people.smoker,
        insurance,
        registered,
        last_seen,
    ]
    return header, sorted(_cells(columns))


def _visit_rows(people: Patients, visits: Visits, rng: np.random.Generator) -> Table:
    count = len(visits.patient)
    staff = _identifiers("S", 4, len(WARDS) * STAFF_OF_A_WARD, rng).reshape(len(WARDS), STAFF_OF_A_WARD)
    by_name = np.argsort(WARDS)
    ward = by_name[np.searchsorted(WARDS, visits.ward, sorter=by_name)]
    header = ["visit_id", "patient_id", "admitted_on", "discharged_on", "ward", "diagnosis_group", "severity"]
    header += ["length_of_stay", "prior_visits", "emergency", "attending", "readmitted"]
    columns = [
        _identifiers("V", 8, count, rng),
        people.patient_id[visits.patient],
        visits.admitted_on,
        visits.discharged_on,
        visits.ward,
        visits.diagnosis_group,
        visits.severity,
        (visits.discharged_on - visits.admitted_on).astype(int),
        visits.prior_visits,
        np.where(visits.emergency, "true", "false"),
        staff[ward, rng.integers(STAFF_OF_A_WARD, size=count)],
        np.where(visits.readmitted, "true", "false"),
    ]
    return header, list(_cells(columns))


def _consent_rows(people: Patients, registered: Array, rng: np.random.Generator) -> Table:
    """Decisions in the order in which they were taken; of one person and purpose the last one counts.

    85 % allowed readmission_model, 4 % of these took it back, a tenth of those came round again. 2 % objected to
    capacity_planning, a tenth of these took that back.
    """
    count = len(people)
    # asked from 2019 on, at registration or later; every decision is at least a day after the one before
    asked = np.maximum(registered, np.datetime64("2019-01-01")) + rng.integers(0, 30, count)
    known = (TODAY - 3 - asked).astype(int)
    first = (asked + (known * rng.random(count) * 0.2).astype(int)).astype("datetime64[s]")
    second = (first.astype("datetime64[D]") + 1 + (known * rng.random(count) * 0.5).astype(int)).astype("datetime64[s]")
    third = (second.astype("datetime64[D]") + 1 + (known * rng.random(count) * 0.2).astype(int)).astype("datetime64[s]")

    granted = rng.random(count) < 0.85
    withdrawn = granted & (rng.random(count) < 0.04)
    renewed = withdrawn & (rng.random(count) < 0.1)
    objected = rng.random(count) < 0.02
    reconciled = objected & (rng.random(count) < 0.1)
    taken = [
        (granted, "readmission_model", "granted", first),
        (withdrawn, "readmission_model", "withdrawn", second),
        (renewed, "readmission_model", "granted", third),
        (objected, "capacity_planning", "objected", second),
        (reconciled, "capacity_planning", "granted", third),
    ]
    rows: list[list[str]] = []
    for who, purpose, decision, when in taken:
        at = when[who] + rng.integers(8 * 3600, 18 * 3600, who.sum())
        rows += _cells([people.patient_id[who], [purpose] * len(at), [decision] * len(at), at])
    return ["patient_id", "purpose", "decision", "decided_at"], sorted(rows, key=lambda row: (row[3], row))


def _break(tables: Mapping[str, Table], rng: np.random.Generator) -> None:
    """Breaks a few rows the way exports break: at most four of each kind, fewer in a small clinic.

    Decisions are left whole: a row that is lost among them may be somebody's no.
    """
    (_, visits), (_, patients) = tables["visits"], tables["patients"]
    of_each = min(4, 1 + len(visits) // 5000)
    unreadable, unknown, nobody, doubled, cut = rng.choice(len(visits) - 1, (5, of_each), replace=False)
    for row, text in zip(unreadable, ("2024-13-05", "n/a", "31/02/2024", "20 May 24"), strict=False):
        visits[row][2] = text
    for row in unknown:
        visits[row][4] = "corridor"
    for row in nobody:
        visits[row][1] = ""
    for row in doubled:
        visits[row + 1][0] = visits[row][0]
    for row in cut:
        del visits[row][7:]
    patients[0][3] = "00/00/1900"
    patients[len(patients) // 2].insert(7, "Flat 2")


def _mails(given: Array, family: Array, birth_date: Array, rng: np.random.Generator) -> list[str]:
    """A different address for everyone; every twentieth is written in capitals or with capital initials."""
    hosts, style = rng.choice(MAIL_HOSTS, len(given)), rng.random(len(given))
    taken: dict[str, int] = {}
    mails = []
    for first, last, born, host, how in zip(given, family, birth_date.astype(str), hosts, style, strict=True):
        name = f"{first}.{last}".replace(" ", "").replace("'", "") + (born[2:4] if how > 0.5 else "")
        address = f"{name}@{host}".lower()
        taken[address] = taken.get(address, 0) + 1
        name += f".{taken[address]}" if taken[address] > 1 else ""
        mail = f"{name}@{host}"
        mails.append(mail if how < 0.04 else mail.upper() if how < 0.05 else mail.lower())
    return mails


def _phones(count: int, rng: np.random.Generator) -> list[str]:
    """A number for everyone, written as people write them; some households share one."""
    numbers = np.resize(rng.permutation(len(EXCHANGES) * 1000), count)
    forms = rng.integers(len(PHONE_FORMS), size=count)
    phones = []
    for number, form in zip(numbers, forms, strict=True):
        area, rest = f"{EXCHANGES[number // 1000]}{number % 1000:03}".split(" ", 1)
        phones.append(PHONE_FORMS[form](area, rest))
    return phones


def _identifiers(letter: str, digits: int, count: int, rng: np.random.Generator) -> Array:
    """Different identifiers that say nothing of their order."""
    numbers = rng.choice(10**digits, count, replace=False)
    return np.array([f"{letter}{number:0{digits}}" for number in numbers])


def _share(log_odds: Array) -> Array:
    return 1 / (1 + np.exp(-log_odds))


def _chance(log_odds: Array, rng: np.random.Generator) -> Array:
    """True with the probability of these log odds."""
    return rng.random(len(log_odds)) < _share(log_odds)


def _cells(columns: Sequence[Any]) -> Iterator[list[str]]:
    texts = (column.astype(str).tolist() if isinstance(column, np.ndarray) else column for column in columns)
    return map(list, zip(*texts, strict=True))


def write(tables: Mapping[str, Table], folder: Path) -> None:
    """Writes `<table>.csv` into the folder, each under another name first: a file with its name is a whole file."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as leftovers:
        for name, (header, rows) in tables.items():
            unfinished = folder / f".{name}.csv.unfinished"
            leftovers.callback(unfinished.unlink, missing_ok=True)
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([header, *rows])
        for name in tables:
            (folder / f".{name}.csv.unfinished").replace(folder / f"{name}.csv")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: what was written, and how many rows, goes to the terminal."""
    parser = argparse.ArgumentParser(description="Invents a clinic: patients, visits and consents as CSV.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "clinic", help="the folder to write to")
    parser.add_argument("--patients", type=int, default=20_000, help="how many patients, at least 100")
    parser.add_argument("--seed", type=int, default=2026, help="another number, another clinic")
    options = parser.parse_args(arguments)
    if options.patients < 100:
        parser.error(f"--patients must be at least 100, not {options.patients}")
    tables = invent(options.patients, options.seed)
    write(tables, options.out)
    print(f"{options.out}:", ", ".join(f"{len(rows):,} {name}" for name, (_, rows) in tables.items()))


if __name__ == "__main__":
    main()
