"""Addresses in a network: IPv4 and IPv6."""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import confirmed, counted, like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.device.ip_address"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (("ip",), ("ip", "address"), ("ipaddr",))


CALLED = "a network address"


class Parameters(Frozen):
    """The share of values from which a column holds network addresses."""

    kind: Literal["ip_address"] = "ip_address"
    at_least: float = 0.8


def fits(values: pl.Series) -> pl.Series:
    """Four numbers up to 255, or groups of hex digits with colons, as Python's ipaddress reads them."""
    import ipaddress

    four = like(values, r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})")
    six = like(values, r"[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*") & ~like(
        values, r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    )
    return four | confirmed(values, six, lambda text: bool(ipaddress.ip_address(text)))


def inside(texts: pl.Series) -> pl.Series:
    """As above, where no letter and no digit stands before or after; five numbers are a telephone's."""
    return counted(texts, r"\b(?:(?:[0-9]{1,3}\.){3,}[0-9]{1,3}|[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7})\b", fits)
