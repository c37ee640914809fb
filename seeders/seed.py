"""Fill a target from a plan, and keep what is known of it in the dataset file, however the filling ends."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from lab import dataset_file
from lab.errors import CallError, DatasetError, SeedError
from lab.model.dataset import Dataset, Flight, Member, SeedPlan
from lab.platform import Client
from seeders.airplanes import seed_airplanes
from seeders.airports import seed_airports
from seeders.cities import seed_cities
from seeders.ensure import Work
from seeders.events import OnProgress, Progress, ignore
from seeders.flights import seed_flights, still_listed
from seeders.plan import Blueprint, blueprint, planned_user
from seeders.users import join, refresh, seed_users

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.target import Target
    from seeders.plan import PlannedUser

TOKENS_LAST_S: Final = 30 * 60.0
"""A token that an earlier run left is kept when it is good for this long."""
RESUME: Final = "run the same command again: it creates only what is missing"


@dataclass(slots=True)
class _Gathered:
    """What is known to be on the target so far; it begins with what an earlier run left in the file."""

    before: Dataset | None
    plan: SeedPlan
    target: str
    on_progress: OnProgress
    flights: dict[str, Flight] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    counts: dict[str, Progress] = field(default_factory=dict)

    def tell(self, event: Progress) -> None:
        self.counts[event.kind] = event
        self.on_progress(event)

    def add_flight(self, flight: Flight) -> None:
        self.flights[flight.number] = flight

    def add_member(self, member: Member) -> None:
        self.members[member.email] = member

    def keep(self, path: Path, planned: Blueprint) -> bool:
        """Write what is known, as incomplete, unless it is no more than the file has already; tell whether."""
        flights, members = dict(self.flights), dict(self.members)
        if self.before:
            flights = {flight.number: flight for flight in self.before.flights} | flights
            members = {member.email: member for member in self.before.users} | members
        wanted_flights = (flights.get(flight.number) for flight in planned.flights)
        wanted_users = (members.get(user.email) for user in planned.users)
        partial = self._dataset(
            tuple(flight for flight in wanted_flights if flight),
            tuple(member for member in wanted_users if member),
            complete=False,
        )
        if not any(event.done for event in self.counts.values()) and not self.members:
            return False
        if self.before and replace(self.before, complete=False) == partial:
            return False
        dataset_file.save(partial, path)
        return True

    def whole(self, flights: list[Flight], members: list[Member]) -> Dataset:
        return self._dataset(tuple(flights), tuple(members), complete=True)

    def _dataset(self, flights: tuple[Flight, ...], members: tuple[Member, ...], *, complete: bool) -> Dataset:
        return Dataset(
            target=self.target,
            plan=self.plan,
            flights=flights,
            users=members,
            cities=self._count("cities"),
            airports=self._count("airports"),
            airplanes=self._count("airplanes"),
            complete=complete,
        )

    def _count(self, kind: str) -> int:
        event = self.counts.get(kind)
        if event is None:
            return int(getattr(self.before, kind, 0))
        return event.done


def seed(target: Target, plan: SeedPlan, path: Path, *, on_progress: OnProgress = ignore, workers: int = 8) -> Dataset:
    """Make sure that everything in a plan exists on a target, and write the dataset file.

    What is there is found, and only what is missing is created. When it ends early (an error, Ctrl-C), what is known
    by then is in the file, with `complete` False.

    Args:
        target: what to fill.
        plan: how much of what.
        path: the dataset file.
        on_progress: called in this thread as things come along.
        workers: how many calls may be under way at once.

    Raises:
        ConfigError: the plan asks for what cannot be.
        SeedError: the target refused or went away; it says how to resume.
        DatasetError: the file cannot be written.
    """
    planned = blueprint(plan)
    before = _left_by_an_earlier_run(target, path)
    gathered = _Gathered(before, plan, target.gateway, on_progress)
    with closing(Client(target, connections=workers)) as client:
        try:
            dataset = _fill(Work(client, workers, gathered.tell), planned, gathered)
        except CallError as error:
            kept = gathered.keep(path, planned)
            where = f"what there is so far is kept in {path}; " if kept else ""
            raise SeedError(f"{error}; {where}{RESUME}") from None
        except BaseException:
            gathered.keep(path, planned)
            raise
    dataset_file.save(dataset, path)
    return dataset


def refresh_tokens(  # noqa: PLR0913 - what to refresh, where, and for how long
    dataset: Dataset,
    target: Target,
    path: Path,
    *,
    valid_for_s: float,
    count: int | None = None,
    on_progress: OnProgress = ignore,
    workers: int = 8,
) -> Dataset:
    """Make sure that the first `count` users (all, when None) have tokens that last, and write the dataset file.

    Args:
        dataset: what was seeded.
        target: where to sign in.
        path: the dataset file; it is written only when a token changed.
        valid_for_s: how long each token must be good for from now on, in s.
        count: how many users are needed.
        on_progress: called in this thread, with the kind `tokens`.
        workers: how many calls may be under way at once.

    Raises:
        SeedError: the target refused, went away, or does not know a user.
        DatasetError: the file cannot be written.
    """
    members = {member.email: member for member in dataset.users}
    changed = False

    def note(member: Member) -> None:
        nonlocal changed
        changed = True
        members[member.email] = member

    with closing(Client(target, connections=workers)) as client:
        try:
            refresh(Work(client, workers, on_progress), dataset.users[:count], valid_for_s, note)
        except CallError as error:
            raise SeedError(str(error)) from None
        finally:
            fresh = replace(dataset, users=tuple(members.values()))
            if changed:
                dataset_file.save(fresh, path)
    return fresh


def describes(dataset: Dataset, target: Target, *, workers: int = 8) -> bool:
    """Tell whether a target still holds a dataset's flights: one that was started afresh gives their ids to others.

    Behind a gateway the first user's token is shown, so refresh the tokens first.

    Raises:
        CallError: the target refused or went away.
    """
    with closing(Client(target, connections=workers)) as client:
        client.token = dataset.users[0].token if dataset.users else ""
        return still_listed(Work(client, workers, ignore), dataset.flights)


def _fill(work: Work, planned: Blueprint, gathered: _Gathered) -> Dataset:
    known = {member.email: member for member in gathered.before.users} if gathered.before else {}
    # The first user comes first: through a gateway, nothing but signing up is open to strangers.
    first = planned.users[0] if planned.users else planned_user(gathered.plan.rng_seed, 0)
    opener = join(work.client, first, known.get(first.email), TOKENS_LAST_S)
    gathered.add_member(opener[0])
    work.client.token = opener[0].token
    cities = seed_cities(work, planned)
    airports = seed_airports(work, planned, cities)
    fleet = seed_airplanes(work, planned)
    flights = seed_flights(work, planned, airports, fleet, gathered.add_flight)

    def joined(user: PlannedUser) -> tuple[Member, bool]:
        return opener if user == first else join(work.client, user, known.get(user.email), TOKENS_LAST_S)

    members = seed_users(work, planned.users, joined, gathered.add_member)
    return gathered.whole(flights, members)


def _left_by_an_earlier_run(target: Target, path: Path) -> Dataset | None:
    """Read what an earlier run knew of this target; a file that is no dataset is put aside, not lost."""
    try:
        before = dataset_file.load(path)
    except DatasetError:
        with suppress(OSError):
            path.replace(path.with_name(f"{path.name}.old"))
        return None
    return before if before.target == target.gateway else None
