"""A headless Chromium, driven over its DevTools protocol: what a page does for a person who clicks and types.

Belongs here: starting it, clicks, keys, pictures, what it complained of. Does not belong here: any page.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import ClientConnection, connect

KEYS = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40, "ArrowLeft": 37, "ArrowRight": 39}


@contextmanager
def browser(folder: Path, width: int = 1500, height: int = 900) -> Iterator[Page]:
    """A browser with an empty page; its profile lies in `folder`. It can reach no network: names resolve to nothing."""
    command = [
        "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-port=0",
        f"--user-data-dir={folder}", f"--window-size={width},{height}", "about:blank",
    ]  # fmt: skip
    env = os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stderr is not None
            address = next((found[0] for line in process.stderr if (found := re.search(r"ws://\S+", line))), None)
            assert address, "the browser did not start"
            with connect(address, max_size=None) as socket, Page(socket) as page:
                page.size(width, height)
                yield page
                page.ask("Browser.close", session=False)
        finally:
            process.terminate()


class Page:
    """One page. `complaints` are errors of scripts, what the policy refused, what was loaded from elsewhere."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._last, self._session = socket, 0, ""
        self.complaints: list[str] = []
        self._loaded = False
        self._asked: dict[str, str] = {}

    def __enter__(self) -> Page:
        targets = self.ask("Target.getTargets", session=False)["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = self.ask("Target.attachToTarget", session=False, targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def ask(self, method: str, session: bool = True, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._last += 1
        asked = {"id": self._last, "method": method, "params": parameters}
        self._socket.send(json.dumps(asked | ({"sessionId": self._session} if session else {})))
        while True:
            said = json.loads(self._socket.recv(timeout=30))
            if said.get("id") == self._last:
                assert "error" not in said, said
                return dict(said["result"])
            self._hear(said)

    def _hear(self, said: dict[str, Any]) -> None:
        method, told = said.get("method"), said.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"].get("exception", told)))
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(told["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            address = told["request"]["url"]
            if not address.startswith(("file:", "data:", "about:")):
                self._asked[told["requestId"]] = f"asked for {address}"
                self.complaints.append(self._asked[told["requestId"]])
        elif method == "Network.loadingFailed" and told.get("blockedReason") == "csp":
            # it was told of before the policy was asked, and went nowhere; the policy's own complaint stands
            refused = self._asked.pop(told["requestId"], None)
            self.complaints = [one for one in self.complaints if one != refused]

    def open(self, path: Path) -> None:
        """Load a file, and wait until its scripts have run."""
        self._loaded = False
        self.ask("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self._hear(json.loads(self._socket.recv(timeout=30)))
        self.run("1")

    def run(self, script: str) -> Any:
        """What a script in the page gives, as JSON."""
        told = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def click(self, selector: str) -> None:
        """The mouse, on the middle of the first element that is meant; it is scrolled to where it can be seen."""
        place = self.run(
            f"""(() => {{
                const one = document.querySelector({json.dumps(selector)});
                one.scrollIntoView({{block: "center", inline: "center"}});
                const box = one.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.ask(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1
            )  # fmt: skip

    def press(self, key: str) -> None:
        """A key, where the focus is."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key],
                **(text if kind == "keyDown" else {}),
            )  # fmt: skip

    def size(self, width: int, height: int) -> None:
        """Of what is seen, in pixels."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name: str) -> None:
        """`light` or `dark`, as the person's system asks for."""
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self) -> bytes:
        """What is seen, as a PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
