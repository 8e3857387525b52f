"""Our typed properties within the `customProperties` of the standard.

Belongs here: finding one and reading it. Does not belong here: what they hold (`contract.py`).
"""

from __future__ import annotations

from typing import Any

from open_data_contract_standard.model import CustomProperty

from privacy_assets.contracts._faults import Faults, echo, parse
from privacy_assets.contracts._yaml import Place


def extension(
    model: type[Any], name: str, custom: list[CustomProperty] | None, place: Place, faults: Faults, *, required: bool
) -> Any:
    """The typed property of this name at `place`; None where there is none or it has faults."""
    at = [index for index, one in enumerate(custom or ()) if one.property == name]
    if len(at) > 1:
        faults.add(
            (*place, "customProperties", at[1]), f"the property `{name}` stands here twice", next_step="keep one"
        )
        return None
    if not at:
        if required:
            keys = [f"`{key}`" for key, info in model.model_fields.items() if info.is_required()]
            faults.add(
                (*place, "customProperties"),
                f"the property `{name}` is missing",
                expected=f"customProperties: [{{property: {name}, value: …}}]",
                found=", ".join(echo(one.property) for one in custom or ()),
                next_step=f"add it with {', '.join(keys)}",
            )
        return None
    where: Place = (*place, "customProperties", at[0])
    if not isinstance(faults.document.at((*where, "value")), dict):
        faults.add(where, f"the property `{name}` has no keys and values", next_step="write them under `value:`")
        return None
    return parse(model, faults, (*where, "value"))
