"""A real VictoriaMetrics for tests, which takes InfluxDB's v2 write calls; stopped and started at will."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Self

import urllib3

from lab.stack import ports
from tests.real import SYSTEM_PLACES, require

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PROGRAM = "victoria-metrics"
READY_S = 60.0
Point = tuple[frozenset[tuple[str, str]], int]
"""A point of one metric: its tags, and its time in ms."""


class VictoriaMetrics:
    """A VictoriaMetrics of the test's own, on a loopback port that stays the same."""

    def __init__(self, folder: Path) -> None:
        require(PROGRAM)
        self._folder = folder
        self._http = urllib3.PoolManager(retries=False, timeout=30.0)
        self.port, self._claim = ports.claim_any(PROGRAM)
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = shutil.which(PROGRAM) or shutil.which(PROGRAM, path=SYSTEM_PLACES)
        assert program is not None
        with (self._folder / "victoria.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"-storageDataPath={self._folder / 'victoria'}",
                    f"-httpListenAddr=127.0.0.1:{self.port}",
                    "-retentionPeriod=100y",
                    # The same point twice is one point, as in InfluxDB.
                    "-dedup.minScrapeInterval=1ms",
                    "-memory.allowedBytes=64MB",
                ],
                stdout=log,
                stderr=log,
            )
        pause = threading.Event()
        for _ in range(int(READY_S / 0.05)):
            assert self._process.poll() is None, (self._folder / "victoria.log").read_text(encoding="utf-8")[-2000:]
            if self._answers():
                return
            pause.wait(0.05)
        raise AssertionError(f"VictoriaMetrics did not answer in {READY_S:g} s")

    def stop(self) -> None:
        """Stop it; what it took stays on disk."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing running."""
        self.stop()
        self._http.clear()
        self._claim.__exit__(None, None, None)

    def points(self, metric: str) -> dict[Point, float]:
        """Read back all points of a metric, named measurement_field."""
        self._http.request("GET", f"{self.url}/internal/force_flush")
        # The last second of a run that was cut short ends later than the run did.
        asked = {"match[]": metric, "end": str(time.time() + 60)}
        answer = self._http.request("GET", f"{self.url}/api/v1/export", fields=asked)
        assert answer.status == 200, answer.data
        found: dict[Point, float] = {}
        for line in answer.data.decode().splitlines():
            series = json.loads(line)
            tags = frozenset((key, value) for key, value in series["metric"].items() if key != "__name__")
            for at, value in zip(series["timestamps"], series["values"], strict=True):
                assert (tags, at) not in found, "a point stands there twice"
                found[tags, at] = value
        return found

    def _answers(self) -> bool:
        try:
            return self._http.request("GET", f"{self.url}/health", timeout=1.0).status == 200
        except urllib3.exceptions.HTTPError:
            return False
