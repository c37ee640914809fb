"""Pages by scan and by key are the same pages; indexes are made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, inspect, select

from reference_services.common.fields import Page
from reference_services.common.pooling import pool_of
from reference_services.common.profile import LADDER, profile_named
from reference_services.common.searching import Searched, by_key, by_scan, make_indexes

if TYPE_CHECKING:
    from sqlalchemy import Engine

metadata = MetaData()
things = Table("things", metadata, Column("id", Integer, primary_key=True), Column("kindOf", Integer))
SEARCHED = Searched("things_by_kind", "things", ("kindOf",))


def filled(kinds: list[int]) -> Engine:
    """Give a table of things of these kinds."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        if kinds:
            connection.execute(insert(things), [{"kindOf": kind} for kind in kinds])
    return engine


@given(
    kinds=st.lists(st.integers(0, 2), max_size=30),
    limit=st.integers(1, 10),
    offset=st.integers(0, 35),
    kind=st.sampled_from([None, 0, 1]),
)
def test_both_ways_give_the_same_page(kinds: list[int], limit: int, offset: int, kind: int | None) -> None:
    """Whatever is asked for, the same rows come in the same order."""
    engine, page = filled(kinds), Page(limit=limit, offset=offset)
    conditions = [] if kind is None else [things.c.kindOf == kind]
    with engine.connect() as connection:
        scanned, keyed = (
            connection.execute(way(select(things), things.c.id, conditions, page)).all() for way in (by_scan, by_key)
        )
    engine.dispose()
    wanted = [(number, found) for number, found in enumerate(kinds, start=1) if kind in {None, found}]
    assert [tuple(row) for row in scanned] == [tuple(row) for row in keyed] == wanted[offset : offset + limit]


def test_an_index_is_made_once() -> None:
    """What is there already stays, also when the service starts again."""
    engine = filled([])
    for _ in range(2):
        with engine.begin() as connection:
            make_indexes(connection, [SEARCHED])
    assert [(found["name"], found["column_names"]) for found in inspect(engine).get_indexes("things")] == [
        ("things_by_kind", ["kindOf"])
    ]
    engine.dispose()


def test_pools_follow_the_profile() -> None:
    """Five connections, tried out each time, until they are pooled; then what Little's law says, and never too many."""
    pools = {name: pool_of(profile_named(name), 32) for name in LADDER}
    assert {(pools[name].size, pools[name].ping) for name in ("as-found", "safe")} == {(5, True)}
    assert {(pools[name].size, pools[name].ping) for name in LADDER[2:]} == {(16, False)}
    assert pool_of(profile_named("scaled"), 4).size == 4
