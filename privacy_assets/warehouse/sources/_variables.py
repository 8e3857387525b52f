"""`${NAME}` in what a contract says of a source: what differs between machines, and what is secret.

Belongs here: filling in. Does not belong here: where else a secret may be found (each source knows).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from privacy_assets.errors import BadSource

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(text: str, env: Mapping[str, str], *, place: str) -> str:
    """The text with each `${NAME}` replaced from `env`; raises BadSource, naming all that are not set."""
    unset = sorted({name for name in _VARIABLE.findall(text) if name not in env})
    if unset:
        raise BadSource.of(
            f"the source needs {', '.join(unset)}",
            where=place,
            found="not set",
            next_step=f"set {' and '.join(unset)} in the environment",
        )
    return _VARIABLE.sub(lambda match: env[match[1]], text)
