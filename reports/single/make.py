"""The reports of a run that were asked for: the run is read once, and each is written where it was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.importers import figures as kept
from reports import frame, outputs
from reports.attribution.reading import operations
from reports.markdown import LIMIT
from reports.single import export, github, junit, markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.store import RunFolder


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where which report of a run is to go; `github` is the summary of the step that this runs in."""

    html: Path | None = None
    md: Path | None = None
    json: Path | None = None
    junit: Path | None = None
    github: bool = False

    @property
    def to_standard_output(self) -> bool:
        """Tell whether one goes to standard output, where nothing else may go then."""
        return any(map(outputs.is_standard_output, self.paths.values()))

    @property
    def paths(self) -> dict[str, Path]:
        """Give the files that were asked for, by their option."""
        found = {"--html": self.html, "--md": self.md, "--json": self.json, "--junit": self.junit}
        return {option: path for option, path in found.items() if path is not None}


def make(folder: RunFolder, wanted: Wanted, environ: Mapping[str, str]) -> list[Path]:
    """Write the reports of a run.

    Returns:
        The files that were written, without standard output.

    Raises:
        ConfigError: two are to go to one place, or `--github` outside of GitHub Actions.
        RunError: the run cannot be read, or a file not be written.
    """
    outputs.check(wanted.paths)
    data, figures = frame.load(folder), kept.load(folder)
    told = operations(folder)
    renderers = {
        "--html": lambda: _page(folder, data, figures),
        "--md": lambda: markdown.render(data, figures, told=told),
        "--json": lambda: export.render(data, figures, told),
        "--junit": lambda: junit.render(data.run),
    }
    for option, path in wanted.paths.items():
        outputs.write(path, renderers[option]())
    if wanted.github:
        github.summarize(environ, lambda limit: markdown.render(data, figures, min(limit, LIMIT), told))
    return [path for path in wanted.paths.values() if not outputs.is_standard_output(path)]


def _page(folder: RunFolder, data: frame.RunData, figures: kept.Figures | None) -> str:
    from reports import html  # noqa: PLC0415 - plotly is heavy, and only a page needs it

    return html.render(data, figures, html.beside(folder, data.run.warmup))
