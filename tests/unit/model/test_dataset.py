"""What a scenario takes of a dataset."""

from __future__ import annotations

import pytest

from lab.errors import DatasetError
from lab.model.dataset import DataNeeds, Dataset, Flight, Member, SeedPlan

MADE = Dataset(
    "http://h",
    SeedPlan(),
    tuple(Flight(number, f"F{number}", 100 * number, 9.5) for number in range(1, 6)),
    tuple(Member(number, f"u{number}@x.test", "pw", "token") for number in range(3)),
)


def test_the_first_that_fit_are_taken() -> None:
    """Flights by their number of seats (both ends count), and users in order."""
    found = MADE.select(DataNeeds(flights=2, users=2, seats=(200, 400)))

    assert [flight.id for flight in found.flights] == [2, 3]
    assert [user.id for user in found.users] == [0, 1]
    assert (found.seats, MADE.seats) == (500, 1500)
    assert [f.id for f in MADE.select(DataNeeds(1, 0, (400, 400))).flights] == [4]


@pytest.mark.parametrize("needs", [DataNeeds(4, 1, (200, 400)), DataNeeds(1, 4, (100, 500)), DataNeeds(1, 1, (1, 99))])
def test_too_few_are_told_with_the_remedy(needs: DataNeeds) -> None:
    """The error has both numbers and the command that adds them."""
    with pytest.raises(DatasetError, match=r"airbourne-lab seed --flights .* --capacity .* --users"):
        MADE.select(needs)


def test_secrets_are_not_shown() -> None:
    """A user's token and password are in no representation, so in no log."""
    assert "pw" not in repr(MADE)
    assert "token=" not in repr(MADE)
