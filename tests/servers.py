"""Servers that are real: PostgreSQL from Debian and an S3-compatible store from a package, both with TLS, on loopback.

Belongs here: starting and stopping them, and the authority that signs their certificates. Does not belong here: what
is read from them.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "Tr0ub4dor-of-the-test"
"""What nobody may find in a log."""


@dataclass
class Authority:
    """Signs certificates; `file` is its own."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        made = self._named("an authority of the tests", self.key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.file.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    @property
    def file(self) -> Path:
        return self.folder / "authority.crt"

    def _named(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        said = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of the tests")])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder(issuer, said, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
        )

    def sign(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate for this host and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        other = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        made = self._named(name, key).add_extension(x509.SubjectAlternativeName([other]), critical=False)
        files = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        files[0].write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files[1].write_bytes(secret)
        return files


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def postgres_programs() -> Path | None:
    """Where initdb and pg_ctl are: on the PATH, or where Debian keeps them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


@dataclass
class PostgresServer:
    """A server of its own in a folder of its own; `admin` may all, `reader` may read what it is let."""

    authority: Authority
    folder: Path = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        programs = postgres_programs()
        assert programs is not None
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = free_port()
        # the server refuses to run as root
        self.user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        password = self.folder / "password"
        password.write_text(PASSWORD)
        certificate, key = self.authority.sign("localhost")
        for path in (certificate, key):
            shutil.copy(path, self.folder / path.name)
        for path in (self.folder, password, *self.folder.iterdir()):
            if self.user:
                shutil.chown(path, "postgres", "postgres")
        (self.folder / key.name).chmod(0o600)
        self._run("initdb", "-D", "data", "-U", "admin", "--pwfile=password", "-A", "scram-sha-256", "--no-sync")
        settings = {
            "port": self.port,
            "listen_addresses": "'127.0.0.1'",
            "unix_socket_directories": f"'{self.folder}'",
            "ssl": "on",
            "ssl_cert_file": f"'{self.folder / certificate.name}'",
            "ssl_key_file": f"'{self.folder / key.name}'",
            "fsync": "off",
        }
        said = "".join(f"{name} = {value}\n" for name, value in settings.items())
        self._run("sh", "-c", f"cat >> data/postgresql.conf <<'END'\n{said}END", tool=True)
        self._run("sh", "-c", "printf 'hostssl all all 127.0.0.1/32 scram-sha-256\\n' > data/pg_hba.conf", tool=True)
        self.start()

    def _run(self, program: str, *given: str, tool: bool = False) -> None:
        command = [program if tool else str(self.programs / program), *given]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **self.user)  # type: ignore[call-overload]

    def start(self) -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "start")

    def stop(self) -> None:
        """At once, whoever is connected."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "stop")

    def close(self) -> None:
        if (self.folder / "data/postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def sql(self, *statements: str, user: str = "admin") -> str:
        """What psql prints."""
        address = (
            f"host=localhost port={self.port} dbname=postgres user={user} sslmode=verify-full "
            f"sslrootcert={self.authority.file}"
        )
        command = [str(self.programs / "psql"), address, "-qtA", "-v", "ON_ERROR_STOP=1"]
        for statement in statements:
            command += ["-c", statement]
        env = {**os.environ, "PGPASSWORD": PASSWORD}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout


@dataclass
class Store:
    """An S3-compatible store in a thread."""

    authority: Authority | None
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log(self, type: str, message: str, *args: Any) -> None:
                pass

        context = None
        if self.authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.authority.sign(self.host))
        self.server = make_server(
            self.host, 0, DomainDispatcherApplication(create_backend_app), threaded=True,
            request_handler=Quiet, ssl_context=context,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.authority else 'http'}://{self.host}:{self.server.server_port}"

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id="key", aws_secret_access_key=PASSWORD,
            region_name="us-east-1", verify=str(self.authority.file) if self.authority else None,
        )  # fmt: skip

    def put(self, bucket: str, objects: dict[str, bytes]) -> None:
        client = self.client()
        client.create_bucket(Bucket=bucket)
        for key, content in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=content)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def environment_for(store: Store) -> dict[str, str]:
    """Where boto3 finds the credentials."""
    return {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": PASSWORD, "AWS_EC2_METADATA_DISABLED": "true"}
