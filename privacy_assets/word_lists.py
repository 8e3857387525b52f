"""The word lists of Faker, of one language or of all: names, places, streets, words of everyday language.

Belongs here: reading the lists. Does not belong here: what is done with them.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Collection, Iterator


def texts(provider: str, lists: re.Pattern[str], languages: Collection[str] = ()) -> Iterator[str]:
    """All texts of the lists of a provider whose names match, but for templates; in all languages where none is named.

    `provider` is a package of Faker's (`person`), `languages` are its modules (`de_DE`).
    """
    # Faker takes a second to import in all its languages, which only a run should pay for.
    package = importlib.import_module(f"faker.providers.{provider}")
    for info in pkgutil.iter_modules(package.__path__):
        if languages and info.name not in languages:
            continue
        source = importlib.import_module(f"{package.__name__}.{info.name}").Provider
        for attribute in filter(lists.fullmatch, dir(source)):
            held = getattr(source, attribute)
            if isinstance(held, (tuple, list, dict)):
                yield from (text for text in held if isinstance(text, str) and "{" not in text)
