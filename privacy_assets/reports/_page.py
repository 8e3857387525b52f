"""What every page and figure of a report shares: one HTML file that asks nothing of any network, and where it may lie.

Belongs here: the frame of a page, tables, the folder. Does not belong here: what is told (one file a report).
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from privacy_assets.durable import disk_errors, make_folder, replace
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Those of Okabe and Ito, told apart by people who see few colours."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #1a1a1a }
table { border-collapse: collapse; margin: 1em 0; font-size: 14px }
th, td { border-bottom: 1px solid #ccc; padding: .3em .7em; text-align: left; vertical-align: top }
tr.now { background: #fff0f0 } img { max-width: 100% } code { overflow-wrap: anywhere }
"""


def page(title: str, body: str) -> bytes:
    """The whole page; `title` is escaped, `body` is HTML."""
    return document(title, f"<h1>{escape(title)}</h1>\n{body}", _STYLE)


def document(title: str, body: str, style: str, script: str = "") -> bytes:
    """A page of a style and a script of its own, which are the only ones that the browser lets in, by their digests.

    `title` is escaped, `body` is HTML. The script may make no markup of text: where the browser knows Trusted Types, it
    is stopped there.
    """
    allowed = f"script-src {_source(script)}; require-trusted-types-for 'script'; " if script else ""
    policy = (
        f"default-src 'none'; img-src data:; style-src {_source(style)}; {allowed}base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
{f"<script>{script}</script>" if script else ""}
</body>
</html>
""".encode()


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def data(name: str, told: Any) -> str:
    """What the page's script reads, as JSON that no text in it can end: `document.getElementById(name).textContent`."""
    text = json.dumps(told, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return f'<script type="application/json" id="{escape(name)}">{text}</script>'


def picture(alt: str, png: bytes) -> str:
    """A figure within the page."""
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def table(heads: Sequence[str], lines: Any, now: Sequence[bool] = ()) -> str:
    """A table of texts; the lines that `now` marks stand out."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads) if any(heads) else ""
    body = []
    for place, line in enumerate(lines):
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in line)
        body.append(f'<tr class="now">{cells}</tr>' if place < len(now) and now[place] else f"<tr>{cells}</tr>")
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{''.join(body)}</table>"


@contextmanager
def figure(width: float, height: float, drawn: io.BytesIO) -> Iterator[Any]:
    """A figure of so many inches, written to `drawn` as a PNG: the same numbers give the same bytes."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever the user's own settings are: the same points, the same picture
        made = Figure(figsize=(width, height), dpi=120, layout="constrained")
        FigureCanvasAgg(made)
        yield made
        # the library's version would be in there otherwise
        made.savefig(drawn, format="png", metadata={"Software": None})


def folder_for(gate: Gate, report: str, purpose: str, to: Path | None) -> Path:
    """Where the files go: `to`, or `<report>/<purpose>` in the project. Raises BadDeclaration inside the home."""
    folder = (to.expanduser() if to else gate.project.root / report / purpose).resolve()
    if folder.is_relative_to(gate.home.path.resolve()):
        raise BadDeclaration.of(
            "the home keeps nothing but its own files", where=str(folder), next_step="name a folder outside the home"
        )
    if next(one for one in (folder, *folder.parents) if one.exists()).is_dir():
        return folder
    raise BadDeclaration.of("this is no folder", where=str(folder), next_step="name another with --to")


def file_for(gate: Gate, to: Path) -> Path:
    """Where one file goes. Raises BadDeclaration inside the home, and for a folder."""
    path = to.expanduser().resolve()
    folder_for(gate, "", "", path.parent)
    if path.is_dir():
        raise BadDeclaration.of("this is a folder", where=str(path), next_step="name a file")
    return path


def write(folder: Path, files: dict[str, bytes]) -> tuple[Path, ...]:
    """Write the files into the folder, in the place of older ones."""
    with disk_errors(str(folder)):
        make_folder(folder)
        for name, content in files.items():
            replace(folder / name, content)
    return tuple(folder / name for name in files)
