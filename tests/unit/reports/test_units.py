"""Figures are written as a person reads them, and never say more than they know."""

from __future__ import annotations

import unicodedata
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import units


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (None, "–"),
        (inf, "no answer"),
        (0, "0µs"),
        (7, "7µs"),
        (999.994, "999.99µs"),
        (999.996, "1ms"),
        (28_240, "28.24ms"),
        (1_300, "1.3ms"),
        (999_999, "1s"),
        (1_440_000, "1.44s"),
        (59_999_999, "1m"),
        (63_400_000, "1m3s"),
        (3_720_000_000, "1h2m"),
    ],
)
def test_durations_are_k6s(us: float | None, text: str) -> None:
    """A time gets the unit that keeps it short, and none that it rounds out of."""
    assert units.duration(us) == text


@pytest.mark.parametrize(
    ("us", "text"),
    [(None, "–"), (inf, "no answer"), (1234, "1.23"), (12_345, "12.3"), (1_234_567, "1,235"), (0, "0.00")],
)
def test_table_times_are_ms(us: float | None, text: str) -> None:
    """A column of ms keeps three figures that count."""
    assert units.ms(us) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.00%"), (1, "100.00%"), (0.5, "50.00%"), (0.00001, "<0.01%"), (0.99999, ">99.99%"), (0.0072, "0.72%")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, text: str) -> None:
    """One failure in a million is not 0 %, and one success less is not 100 %."""
    assert units.percent(share) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1_300, "1.3 kB"), (68_000, "68 kB"), (1.5e13, "15.0 TB")]
)
def test_bytes_are_decimal(count: float, text: str) -> None:
    """Bytes are counted in thousands, as k6 does."""
    assert units.size(count) == text


@given(st.text(max_size=80))
def test_shown_text_has_no_control_character(text: str) -> None:
    """Nothing that a terminal obeys, that ends a line or that turns the reading direction is left."""
    shown = units.plain(text)
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    """A text beyond its limit is cut there."""
    assert units.plain("x" * 300) == "x" * 300
    assert units.plain("x" * 5000, 10) == "x" * 9 + "… (5,000 characters)"


def test_wide_characters_take_two_columns() -> None:
    """Columns are counted as a terminal draws them."""
    assert units.cells("予約 ok") == 7
    assert units.cells("e\u0301") == 1
