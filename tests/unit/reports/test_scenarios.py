"""A scenario as a person reads it."""

from __future__ import annotations

import pytest

from lab.model.dataset import DataNeeds
from lab.model.stage import Stage
from reports import curve, scenarios
from tests import synthetic


def test_one_is_written_in_the_singular() -> None:
    """One flight and one user are no flights and users."""
    shown = scenarios.scenario_text(synthetic.scenario(data=DataNeeds(flights=1, seats=(150, 250), users=1)))
    assert "1 flight of 150–250 seats, 1 user\n" in shown


@pytest.mark.parametrize(
    ("peak", "labels"), [(1, ["1", "0"]), (2, ["2", "1", "0"]), (3, ["3", "0"]), (25, ["25", "12", "0"])]
)
def test_the_users_axis_has_each_label_once(peak: int, labels: list[str]) -> None:
    """No half of a user, and no 0 above the axis."""
    drawn = curve.draw(synthetic.scenario(stages=(Stage(10, peak),), start=peak))
    found = [line.split("┤")[0].split("┼")[0].strip() for line in drawn.splitlines()[:-1]]
    assert [label for label in found if label] == labels
