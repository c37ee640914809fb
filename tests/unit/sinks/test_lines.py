"""Points as line protocol: as influxdb-client would write them, and never more than one line."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point

from lab.sinks.lines import LONGEST_TAG, line, tag_text
from tests.synthetic import HOSTILE

PLAIN = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\\"), min_size=1, max_size=40)
# What the client cannot know: that a tag is never empty, and has no blanks around it.
PLAIN_TAGS = PLAIN.map(tag_text)


@given(
    tags=st.dictionaries(st.sampled_from(["a", "b", "operation"]), PLAIN_TAGS, min_size=1),
    text=PLAIN,
    whole=st.integers(-(2**62), 2**62),
    part=st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_line_is_the_one_that_the_client_writes(tags: dict[str, str], text: str, whole: int, part: float) -> None:
    """Escapes are influxdb-client's own; a float keeps its `.0`, which means the same."""
    point = Point("m").time(17)  # type: ignore[no-untyped-call]  # influxdb-client's
    for key, value in tags.items():
        point.tag(key, value)
    point.field("n", whole).field("part", part).field("text", text)
    fields: dict[str, float | str | None] = {"n": whole, "part": part, "text": tag_text(text)}
    expected = point.field("text", tag_text(text)).to_line_protocol()
    found = line("m", tags.items(), fields, 17)
    assert found.replace(f"part={part!r}", f"part={str(part).removesuffix('.0')}") == expected


@pytest.mark.parametrize("text", [*HOSTILE, "", "\n", "a\nb", "ends with \\", "a\\,b", "tab\there", "\ud800"])
def test_hostile_text_stays_one_line(text: str) -> None:
    """Line breaks, controls, backslashes and half characters cannot end a line or a tag."""
    found = line("m", [("t", text)], {"f": text}, 5)
    assert len(found.splitlines()) == 1
    assert "\\\\" not in found.partition(" f=")[0]
    assert found.encode().endswith(b" 5")
    assert tag_text(text)
    assert len(tag_text(text)) <= LONGEST_TAG


def test_long_texts_stay_different() -> None:
    """What is cut off is told apart by a digest, so that two series never become one."""
    one, other = tag_text("x" * 300 + "a"), tag_text("x" * 300 + "b")
    assert one != other
    assert tag_text("x" * LONGEST_TAG) == "x" * LONGEST_TAG


@pytest.mark.parametrize("value", [None, inf, -inf, nan])
def test_no_number_is_left_out(value: float | None) -> None:
    """The protocol has neither nothing nor infinity: the other fields stay."""
    assert line("m", [("t", "x")], {"value": value, "ok": 0}, 1) == "m,t=x ok=0i 1"
