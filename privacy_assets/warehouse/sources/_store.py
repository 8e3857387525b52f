"""An S3-compatible store: which objects there are, and what a connection needs to read them.

Belongs here: listing, credentials, TLS. Does not belong here: what is in the objects (`files.py`).

The engine reads the objects itself, by signed requests; headers and lines are counted by a client of our own, which
signs with the same credentials. Neither writes any of it to a disk.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from privacy_assets.contracts.contract import Files
from privacy_assets.errors import BadSource, PrivacyAssetsError
from privacy_assets.warehouse.connections import Reach, literal
from privacy_assets.warehouse.sources._patterns import beginning, expression
from privacy_assets.warehouse.sources._variables import filled

_LIMITS = {"connect_timeout": 10, "read_timeout": 60}


@dataclass(frozen=True, slots=True)
class _Object:
    """One object; see `files.File`. `place` is what the source is called."""

    place: str
    client: Any
    bucket: str
    key: str
    etag: str
    size: int
    changed: datetime

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def open(self) -> BinaryIO:
        """Its bytes, if they are still those that were listed."""
        with _store_errors(self.place):
            body = self.client.get_object(Bucket=self.bucket, Key=self.key, IfMatch=self.etag)["Body"]
        return io.BufferedReader(_Body(body, self.place), 1 << 20)

    def fingerprint(self) -> str:
        """The store's own tag of the content, asked anew."""
        with _store_errors(self.place):
            now = self.client.head_object(Bucket=self.bucket, Key=self.key)
        return f"{now['ETag']} {now['ContentLength']}"


class _Body(io.RawIOBase):
    def __init__(self, body: Any, place: str) -> None:
        self._body, self._place = body, place

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _store_errors(self._place):
            data: bytes = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._body.close()
        super().close()


def find(source: Files, root: Path, env: Mapping[str, str]) -> tuple[tuple[_Object, ...], Reach]:
    """The objects that the source names, sorted by key, and how to reach them; perhaps none. Raises BadSource."""
    place, connection = source.place, source.connection
    location = filled(source.path, env, place=place)
    endpoint = filled(source.endpoint, env, place=place) if source.endpoint else None
    if endpoint and endpoint.startswith("http:") and connection.plaintext_because is None:
        raise _refused(place, "an endpoint without TLS, and no reason for it")
    ca_file = str(root / filled(connection.ca_file, env, place=place)) if connection.ca_file else None
    with _store_errors(place):
        client, credentials, region = _client(endpoint, connection.region, ca_file)
        bucket, _, pattern = location.removeprefix("s3://").partition("/")
        objects = _listed(client, bucket, pattern, place)
    settings: dict[str, bool | str] = {"enable_server_cert_verification": True}
    if ca_file:
        settings["ca_cert_file"] = ca_file

    def prepare(con: duckdb.DuckDBPyConnection) -> None:
        held = {"KEY_ID": "$key", "SECRET": "$secret", "REGION": literal(region)}
        values = {"key": credentials.access_key, "secret": credentials.secret_key}
        if credentials.token:
            held |= {"SESSION_TOKEN": "$token"}
            values["token"] = credentials.token
        if endpoint:
            held |= {"ENDPOINT": literal(endpoint.partition("://")[2].rstrip("/")), "URL_STYLE": "'path'"}
            held["USE_SSL"] = str(endpoint.startswith("https:")).lower()
        stated = ", ".join(f"{name} {value}" for name, value in held.items())
        con.execute(f"CREATE TEMPORARY SECRET store (TYPE s3, {stated}, SCOPE {literal(f's3://{bucket}/')})", values)

    reach = Reach(
        paths=tuple(one.url for one in objects),
        networks=frozenset({"S3FileSystem"}),
        settings=settings,
        prepare=prepare,
    )
    return objects, reach


def _client(endpoint: str | None, region: str | None, ca_file: str | None) -> tuple[Any, Any, str]:
    import boto3
    from botocore.config import Config

    session = boto3.Session(region_name=region)
    found = session.get_credentials()
    if found is None:
        raise ValueError("no credentials")
    region = session.region_name or "us-east-1"
    style = {"addressing_style": "path"} if endpoint else {}
    client = session.client(
        "s3", endpoint_url=endpoint, region_name=region, verify=ca_file,
        config=Config(**_LIMITS, s3=style, retries={"max_attempts": 3, "mode": "standard"}),
    )  # fmt: skip
    return client, found.get_frozen_credentials(), region


def _listed(client: Any, bucket: str, pattern: str, place: str) -> tuple[_Object, ...]:
    matches = expression(pattern).fullmatch
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=beginning(pattern))
    found = [
        _Object(place, client, bucket, held["Key"], held["ETag"], held["Size"], held["LastModified"])
        for page in pages
        for held in page.get("Contents", ())
        if matches(held["Key"]) and not held["Key"].endswith("/")
    ]
    return tuple(sorted(found, key=lambda one: one.key))


@contextmanager
def _store_errors(place: str) -> Iterator[None]:
    """An error of the client is BadSource without its text, which names addresses and keys."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except (BotoCoreError, HTTPClientError, ClientError, ValueError, OSError) as error:
        code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
        if code in ("PreconditionFailed", "412"):
            raise BadSource.of(
                "the source was changed while it was read", where=place, next_step="run it again when it is complete"
            ) from None
        raise _refused(place, " ".join((type(error).__name__, code)).strip()) from None


def _refused(place: str, found: str) -> PrivacyAssetsError:
    return BadSource.of(
        "the store cannot be read",
        where=place,
        found=found,
        next_step="look at its address, its certificate and the credentials (AWS_ACCESS_KEY_ID, a profile, a role)",
    )
