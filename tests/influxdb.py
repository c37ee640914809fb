"""A real InfluxDB 1.x for tests, alone, on ports of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Final, Self

import urllib3

from lab.stack import ports
from tests.real import SYSTEM_PLACES, require

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

DATABASE: Final = "airbourne"
READY_S: Final = 60.0


class InfluxDB:
    """An InfluxDB 1.x of the test's own, on loopback ports of its own."""

    def __init__(self, folder: Path) -> None:
        require("influxd")
        self._folder = folder
        self._http = urllib3.PoolManager(retries=False, timeout=30.0)
        self.port, self._claim = ports.claim_any("influxdb")
        self._rpc_port, self._rpc_claim = ports.claim_any("influxdb's own")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        file = self._folder / "influxdb.conf"
        file.write_text(
            f"""
            reporting-disabled = true
            bind-address = "127.0.0.1:{self._rpc_port}"
            [meta]
            dir = "{self._folder}/meta"
            [data]
            dir = "{self._folder}/data"
            wal-dir = "{self._folder}/wal"
            [monitor]
            store-enabled = false
            [http]
            bind-address = "127.0.0.1:{self.port}"
            log-enabled = false
            """,
            encoding="utf-8",
        )
        with (self._folder / "influxdb.log").open("wb") as log:
            program = shutil.which("influxd") or shutil.which("influxd", path=SYSTEM_PLACES)
            assert program is not None
            self._process = subprocess.Popen([program, "-config", str(file)], stdout=log, stderr=log)
        pause = threading.Event()
        for _ in range(int(READY_S / 0.1)):
            assert self._process.poll() is None, (self._folder / "influxdb.log").read_text(encoding="utf-8")[-2000:]
            if self._answers():
                return self
            pause.wait(0.1)
        self.__exit__(None, None, None)
        raise AssertionError(f"InfluxDB did not answer in {READY_S:g} s")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._http.clear()
        for claim in (self._claim, self._rpc_claim):
            claim.__exit__(None, None, None)

    def write(self, lines: list[str]) -> None:
        """Write line protocol, stamped in ns."""
        url = f"http://127.0.0.1:{self.port}/write?db={DATABASE}&precision=ns"
        answer = self._http.request("POST", url, body="\n".join(lines).encode())
        assert answer.status == 204, answer.data

    def query(self, influxql: str) -> list[dict[str, Any]]:
        """Run a query as Grafana does; gives its series."""
        answer = self._http.request(
            "GET", f"http://127.0.0.1:{self.port}/query", fields={"db": DATABASE, "q": influxql, "epoch": "ms"}
        )
        assert answer.status == 200, answer.data
        (result,) = json.loads(answer.data)["results"]
        assert "error" not in result, f"{result['error']}: {influxql}"
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def _answers(self) -> bool:
        try:
            return self._http.request("GET", f"http://127.0.0.1:{self.port}/ping", timeout=1.0).status == 204
        except urllib3.exceptions.HTTPError:
            return False


def rows(series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the rows of a result with the tags of their series, as a table in Grafana has them."""
    return [
        entry.get("tags", {}) | dict(zip(entry["columns"], values, strict=True))
        for entry in series
        for values in entry["values"]
    ]
