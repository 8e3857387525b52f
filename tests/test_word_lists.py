"""What is read of Faker's lists."""

from __future__ import annotations

import re

import pytest

from privacy_assets.word_lists import texts

LAST_NAMES = re.compile("last_names")


def test_the_lists_of_one_language_or_of_all() -> None:
    german = set(texts("person", LAST_NAMES, ["de_DE"]))
    assert "Schmidt" in german and "Kowalski" not in german
    assert german < set(texts("person", LAST_NAMES)), "and of all languages there are more"


def test_lists_with_weights_give_their_texts() -> None:
    """Some languages say how frequent a name is."""
    assert "Smith" in set(texts("person", LAST_NAMES, ["en_US"]))


def test_templates_are_no_words() -> None:
    formats = re.compile("street_address_formats|city_formats|city_suffixes")
    assert not any("{" in text for text in texts("address", formats))


def test_there_is_no_such_provider() -> None:
    with pytest.raises(ModuleNotFoundError):
        list(texts("nobody", LAST_NAMES))
