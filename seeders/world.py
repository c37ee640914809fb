"""Real cities and their airports, from the `airportsdata` package, in an order that never changes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HUBS: Final = (
    "LHR CDG JFK HND DXB ORD PEK PVG IST ICN BKK GRU MXP FCO DFW IAH IAD KIX GIG YYZ "
    "SIN FRA AMS MAD BCN LAX SFO ATL DEN SEA MIA BOS LAS PHX HKG KUL DEL BOM BLR SYD "
    "MEL AKL MUC ZRH VIE CPH OSL ARN HEL DUB LIS ATH WAW PRG BUD BRU MAN BER HAM NCE "
    "TPE MNL CGK SGN HAN CAN CTU SZX DOH AUH RUH TLV CAI JNB CPT NBO ADD LOS CMN EZE "
    "SCL LIM BOG MEX CUN"
)
"""The main airports of the cities that come first; the leading twenty have 47 airports between them."""


@dataclass(frozen=True, slots=True)
class Airport:
    """An airport; the position is in degrees."""

    iata: str
    name: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class City:
    """A city and its airports, the main one first; no two cities have the same name."""

    name: str
    airports: tuple[Airport, ...]


@cache
def cities() -> tuple[City, ...]:
    """Give every known city: the hubs first, then, by airport code, those that have an international airport."""
    from airportsdata import load, load_iata_macs  # noqa: PLC0415 - reads 8,000 airports: only when asked for

    rows: Mapping[str, Mapping[str, object]] = load("IATA")
    metros = {
        code: (str(metro["name"]), tuple(metro["airports"]))
        for metro in load_iata_macs().values()
        for code in metro["airports"]
    }
    names: set[str] = set()
    codes: set[str] = set()
    found = []
    for name, members in _candidates(rows, metros):
        if name and _folded(name) not in names and codes.isdisjoint(members):
            names.add(_folded(name))
            codes.update(members)
            found.append(City(name, tuple(_airport(code, rows[code]) for code in members)))
    return tuple(found)


def _candidates(
    rows: Mapping[str, Mapping[str, object]], metros: Mapping[str, tuple[str, tuple[str, ...]]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give city names with airport codes; several of a name or a code may come, and the first is to be taken."""
    others = sorted(code for code, row in rows.items() if "International" in str(row["name"]))
    for code in (*HUBS.split(), *others):
        if code in metros:
            name, members = metros[code]
            yield name, (code, *sorted(set(members) - {code}))
        elif code in rows:
            yield str(rows[code]["city"]), (code,)


def _folded(name: str) -> str:
    """Strip case and accents: to many a database, names that differ in those alone are the same."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.casefold()


def _airport(code: str, row: Mapping[str, object]) -> Airport:
    place = dict.fromkeys(str(row[part]) for part in ("city", "subd", "country") if row[part])
    return Airport(code, str(row["name"]), ", ".join(place), float(str(row["lat"])), float(str(row["lon"])))
