"""The tutorial's commands at the scale of a test: of seconds, on a platform of few users, and without a verdict."""

from __future__ import annotations

from typing import Final

LOST: Final = (99, 98)
"""As-found fails its audit if bookings meet in the second that they have; else there is nothing to be believed."""
ENDED: Final = (0, 98, 99)
"""A capacity in seven seconds: however its run ended, there is an answer."""
LOWEST: Final = "airbourne-lab capacity --profile as-found"
HASHING: Final = "8"
"""What a password costs: a quarter of the usual, and still most of a naive booking."""
FIRST_BESIDE: Final = "airbourne-lab profiles"
"""From here on the page needs no run that was made before."""
A_SECOND: Final = "--time-scale 0.02"
ONE_STEP: Final = "--steps 1 --hold 6s --scenario tiny.toml"
TINY: Final = """executor = "constant-vus"
exec = "PoolBooker"
vus = 2
duration = "1s"
[data]
flights = 3
users = 2
"""

SMALL: Final[dict[str, tuple[str, tuple[int, ...]]]] = {
    "airbourne-lab run --scenario baseline --profile as-found": (
        "run --scenario baseline --profile as-found --time-scale 0.04",
        LOST,
    ),
    "airbourne-lab diagnose latest": ("diagnose latest", (0,)),
    "airbourne-lab runs label latest naive": ("runs label latest naive", (0,)),
    "airbourne-lab lint baseline": ("lint baseline", (1,)),
    "airbourne-lab run --scenario multi-flight --profile as-found --label spread": (
        f"run --scenario multi-flight --profile as-found --label spread {A_SECOND}",
        LOST,
    ),
    "airbourne-lab compare naive spread": ("compare naive spread", (3,)),
    "airbourne-lab compare naive spread --force": ("compare naive spread --force", (0,)),
    "airbourne-lab run --scenario user-pool --profile as-found --label signed-in": (
        f"run --scenario user-pool --profile as-found --label signed-in {A_SECOND}",
        LOST,
    ),
    "airbourne-lab compare spread signed-in --force": ("compare spread signed-in --force", (0,)),
    "airbourne-lab run --scenario ramp --profile as-found --label gradual": (
        "run --scenario ramp --profile as-found --label gradual --time-scale 0.01",
        LOST,
    ),
    "airbourne-lab compare signed-in gradual --force": ("compare signed-in gradual --force", (0,)),
    "airbourne-lab lint load": ("lint load", (0,)),
    "airbourne-lab run --scenario load --profile as-found --time-scale 0.4 --label day": (
        "run --scenario load --profile as-found --time-scale 0.005 --label day",
        LOST,
    ),
    "airbourne-lab compare gradual day --force": ("compare gradual day --force", (0,)),
    "airbourne-lab profiles": ("profiles", (0,)),
    "airbourne-lab ladder --pairs 6 --time-scale 0.1": (
        "ladder --pairs 1 --to safe --scenario tiny.toml --cool-down 0",
        (0,),
    ),
    LOWEST: (f"capacity --profile as-found {ONE_STEP}", ENDED),
    "airbourne-lab capacity": (f"capacity {ONE_STEP}", ENDED),
    "airbourne-lab diagnose latest (2)": ("diagnose latest", (0,)),
    "airbourne-lab report latest": ("report latest", (0,)),
}
