"""The HTML report: one file that opens offline, with its style, its script and plotly inside it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from lab.errors import RunError
from lab.importers import figures as kept
from lab.model.words import counted
from reports import audit, charts, frame, imported, tables, units, words
from reports.loads import load_facts
from reports.tables import SHARES

if TYPE_CHECKING:
    from lab.importers.figures import Figures
    from lab.store import RunFolder
    from reports.frame import RunData

TEMPLATES: Final = Path(__file__).parent / "templates"
_COMPRESSION: Final = 6


def write_html(folder: RunFolder) -> Path:
    """Write a run's report into its folder.

    Args:
        folder: a run that is closed, goes on, or was killed.

    Returns:
        The path of the file.

    Raises:
        RunError: the run cannot be read, or the file not be written.
    """
    page = render(frame.load(folder), kept.load(folder))
    temporary = folder.report.with_suffix(".new")
    try:
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(folder.report)
    except OSError as error:
        raise RunError(f"cannot write the report {folder.report}: {error.strerror}") from None
    return folder.report


def render(data: RunData, figures: Figures | None = None) -> str:
    """Give the whole page; `figures` are those of the file that the run was imported from."""
    drawn = charts.charts(data)
    app, style, (library, library_hash) = _asset("report.js"), _asset("report.css"), _library()
    run = data.run
    return (
        _environment()
        .get_template("run.html.j2")
        .render(
            run=run,
            imported=figures,
            data=data,
            head=words.headline(run),
            lines=audit.lines(run.integrity),
            reasons=words.failed_reasons(run),
            charts=drawn,
            figures=_json({chart.id: chart.figure for chart in drawn if chart.figure}),
            operations=tables.operations(data),
            share_names=[tables.share_name(share) for share in SHARES],
            dropped=tables.dropped(data),
            failures=tables.failures(data),
            checks=tables.checks(data),
            custom=tables.custom_metrics(data),
            generator=tables.generator(data),
            policy=_policy(_hash(app), library_hash),
            style=Markup(style),  # noqa: S704 - a file of this package
            app=Markup(app),  # noqa: S704 - a file of this package
            library=Markup(library),  # noqa: S704 - base64
            words=words,
            units=units,
        )
    )


def _policy(*hashes: str) -> str:
    """Give the content security policy: nothing but this file's own scripts runs, and nothing is fetched."""
    scripts = " ".join(f"'{value}'" for value in hashes)
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(value: Any) -> Markup:  # noqa: ANN401 - whatever JSON can hold
    """Write JSON that stands in a script element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704 - no character with a meaning in HTML is left


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _library() -> tuple[str, str]:
    """Give plotly.js, packed to less than half its size (the page unpacks it), and the hash of what is unpacked."""
    source = get_plotlyjs()
    packed = gzip.compress(source.encode(), _COMPRESSION, mtime=0)
    return base64.b64encode(packed).decode(), _hash(source)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": imported.cell,
        "clock": units.clock,
        "counted": counted,
        "facts": load_facts,
        "ms": units.ms,
        "percent": units.percent,
        "plain": units.plain,
        "trimmed": units.trimmed,
        "whole": units.whole,
        "when": _when,
    }
    return environment


def _when(iso: str) -> str:
    """Write an ISO time as a person reads it, to the second, in UTC."""
    day, _, time = iso.partition("T")
    return f"{day} {time[:8]} UTC" if time else iso
