"""Which rows of a dataset a purpose may use, as conditions built from the contract and the purpose.

Belongs here: the way from declarations to the rules of `techniques/minimize`, for the stage that applies them and the
gate that asks whether they still hold. Does not belong here: the rules themselves.
"""

from __future__ import annotations

from sqlglot import exp

from privacy_assets.contracts.contract import ConsentRecords, Contract
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.techniques.minimize import MINIMIZE
from privacy_assets.words import LawfulBasis


def consent_records(project: Project, contract: Contract) -> ConsentRecords | None:
    """Where the decisions of this dataset's subjects are recorded; None where nobody's decision is asked."""
    if contract.subject_column is None or contract.privacy.consents is None:
        return None
    return project.contracts[contract.privacy.consents].privacy.consent_records


def entitled(purpose: Purpose, subject: str, records: ConsentRecords, row: str, consents: exp.Table) -> exp.Expr:
    """True for a row (alias `row`) whose subject allows this purpose, by its last decision in `consents`.

    Where the lawful basis is consent that decision must be `granted`; for another basis it must not be an objection.
    """
    kind = "consent" if purpose.lawful_basis is LawfulBasis.CONSENT else "no_objection"
    rule = MINIMIZE[kind]
    parameters = rule.Parameters(
        kind=kind,
        subject=subject,
        purpose=purpose.purpose,
        records_subject=records.subject,
        records_purpose=records.purpose,
        records_decision=records.decision,
        records_decided_at=records.decided_at,
    )
    condition: exp.Expr = rule.admits(parameters, row, consents)
    return condition


def retained(days: int, column: str, row: str) -> exp.Expr:
    """True for a row (alias `row`) that is kept for `days` from the date in `column`, and still is."""
    rule = MINIMIZE["retention"]
    condition: exp.Expr = rule.admits(rule.Parameters(kind="retention", column=column, days=days), row, None)
    return condition
