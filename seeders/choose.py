"""Which dataset a run uses: the one that is named, the target's own, or one that is seeded now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lab import dataset_file
from lab.errors import DatasetError, SeedError
from lab.model.dataset import SeedPlan
from seeders.events import OnProgress, ignore
from seeders.seed import describes, refresh_tokens, seed

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.dataset import DataNeeds, Dataset
    from lab.model.scenario import Scenario
    from lab.model.target import Target

FOLDER: Final = "datasets"
SPARE_S: Final = 300.0
"""How much longer than the run tokens must last: the audit uses one, too."""


def default_file(root: Path, target: Target, part: str = "default") -> Path:
    """Give where a target's dataset is kept, below the lab's folder: by its gateway, however the target is called."""
    place = re.sub(r"[^A-Za-z0-9.]+", "-", target.gateway.partition("://")[2]).strip("-.")
    return root / FOLDER / place / f"{part}.json"


def choose(  # noqa: PLR0913 - what to run, where, and with what
    target: Target,
    scenario: Scenario,
    root: Path,
    named: Path | None,
    *,
    may_seed: bool,
    on_progress: OnProgress = ignore,
) -> tuple[Dataset, Path]:
    """Give the dataset that a scenario runs with, cut to what it needs, with tokens that outlast it, and its file.

    A target of the lab's own is seeded with what is missing; another one never is without being asked.

    Raises:
        DatasetError: there is none that fits.
        SeedError: the target refused or went away.
    """
    lasts = scenario.duration + scenario.graceful_stop + SPARE_S
    users = max(scenario.data.users, 1)
    file, dataset = _found(target, scenario.data, root, named)
    if dataset is not None:
        try:
            dataset = refresh_tokens(dataset, target, file, valid_for_s=lasts, count=users, on_progress=on_progress)
            if describes(dataset, target):
                return dataset.select(scenario.data), file
        except SeedError:
            # The users are gone with the databases of a stack of the lab's own that was started afresh.
            if not may_seed or named is not None:
                raise
    if not may_seed or named is not None:
        raise DatasetError(_nothing_fits(target, file, known=dataset is not None))
    file = default_file(root, target, scenario.name)
    dataset = seed(target, plan_for(scenario.data), file, on_progress=on_progress)
    fresh = refresh_tokens(dataset, target, file, valid_for_s=lasts, count=users)
    return fresh.select(scenario.data), file


def _nothing_fits(target: Target, file: Path, *, known: bool) -> str:
    why = "its flights are not those of the dataset any more" if known else "there is no dataset of it yet"
    return f'target "{target.name}": {why} ({file}); fill it with: airbourne-lab seed --gateway {target.gateway}'


def _found(target: Target, needs: DataNeeds, root: Path, named: Path | None) -> tuple[Path, Dataset | None]:
    file = named or default_file(root, target)
    if named is None and not file.exists():
        return file, None
    dataset = dataset_file.load(file)
    if dataset.target != target.gateway:
        raise DatasetError(f"{file} was made on {dataset.target}, not on {target.gateway}: name another with --dataset")
    try:
        dataset.select(needs)
    except DatasetError as error:
        if named is not None:
            raise DatasetError(f"{file}: {error}") from None
        return file, None
    return file, dataset


def plan_for(needs: DataNeeds) -> SeedPlan:
    """Give the smallest plan that holds what a scenario needs."""
    plain = SeedPlan()
    return SeedPlan(
        flights=needs.flights,
        users=max(needs.users, 1),
        airplanes=min(plain.airplanes, needs.flights),
        capacity_min=needs.seats[0],
        capacity_max=needs.seats[1],
    )
