"""A page that is one file and opens offline: its style, its script and plotly inside it, and nothing else may run."""

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
from lab.model.words import counted
from reports import imported, units
from reports.loads import load_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEMPLATES: Final = Path(__file__).parent / "templates"
SCRIPT: Final = "report.js"
STYLE: Final = "report.css"
_COMPRESSION: Final = 6


def page(template: str, figures: Mapping[str, Any], styles: Sequence[str] = (STYLE,), /, **values: object) -> str:
    """Give a whole page.

    Args:
        template: the page's template. It finds `policy`, `style`, `app`, `library`, `figures` and `units` beside
            `values`.
        figures: plotly's figures as plain data, by the id of the element that each is drawn in.
        styles: its style sheets, in their order.
        values: what the template shows.
    """
    app, (library, library_hash) = _asset(SCRIPT), _library()
    return (
        _environment()
        .get_template(template)
        .render(
            policy=_policy(_hash(app), library_hash),
            style=Markup("".join(map(_asset, styles))),  # noqa: S704 - files of this package
            app=Markup(app),  # noqa: S704 - a file of this package
            library=Markup(library),  # noqa: S704 - base64
            figures=_json(figures),
            units=units,
            **values,
        )
    )


def write(path: Path, text: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    temporary = path.with_suffix(".new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise RunError(f"cannot write the report {path}: {error.strerror}") from None


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
