"""How booking takes seats at the flights service: one strategy per profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pydantic_core import from_json, to_json

from reference_services.common.errors import Refusal, UpstreamDownError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reference_services.common.client import Reply, Upstream
    from reference_services.common.profile import Profile

JSON = {"Content-Type": "application/json"}
OURS = {"seats": "NoOfSeats"}
LEAST_SHARE = 0.1
OK, CREATED, NOT_FOUND, CONFLICT = 200, 201, 404, 409


class SeatsRefused(Refusal):
    """Flights said no: there is no such flight, or too few seats are left.

    Attributes:
        certain: whether flights surely holds nothing under the key; not so when the call was repeated.
    """

    def __init__(self, status: int, message: str, err: Mapping[str, str], *, certain: bool) -> None:
        super().__init__(status, message, err)
        self.certain = certain


class Seats(Protocol):
    """Takes seats and gives them back.

    Attributes:
        settles: whether `give_back` may be repeated, so that an unclear booking can be settled later.
    """

    settles: bool

    def take(self, flight_id: int, seats: int, key: str) -> int:
        """Take seats and give the price of one.

        Raises:
            SeatsRefused: flights said no.
            UpstreamError: flights said nothing; whether seats are taken is unknown.
        """

    def give_back(self, flight_id: int, seats: int, key: str) -> None:
        """Give seats back.

        Raises:
            UpstreamError: flights said nothing.
        """


class AtomicSeats:
    """Takes seats by a reservation: one conditional statement at flights, once per key."""

    settles = True

    def __init__(self, flights: Upstream) -> None:
        self._flights = flights

    def take(self, flight_id: int, seats: int, key: str) -> int:
        """Reserve under the key; a repetition takes nothing twice."""
        body = to_json({"seats": seats, "key": key})
        target = f"/api/v1/flights/{flight_id}/reservations"
        reply = self._flights.call("POST", target, body=body, headers=JSON, repeatable=True)
        said = _said(reply, sent=True)
        if reply.status == CREATED:
            return int(said["data"]["price"])
        if reply.status in {NOT_FOUND, CONFLICT}:
            raise _refused(reply.status, said, certain=reply.attempts == 1)
        raise UpstreamDownError(reply.complaint("flights"), sent=True)

    def take_all(self, bookings: Sequence[Mapping[str, Any]], waited_s: float = 0.0) -> list[int | SeatsRefused]:
        """Reserve for each booking under its key; a repetition takes nothing twice.

        Args:
            bookings: for which.
            waited_s: how long somebody has waited for this call already: its answer must still get back in time.

        Returns:
            The price of one seat for each, or the refusal.

        Raises:
            UpstreamError: flights said nothing; whose seats are taken is unknown.
        """
        wishes = [
            {"flightId": one["flightId"], "seats": one["NoOfSeats"], "key": one["reservationKey"]} for one in bookings
        ]
        body = to_json({"wishes": wishes})
        left_s = max(LEAST_SHARE * self._flights.timeout_s, self._flights.timeout_s - waited_s)
        reply = self._flights.call(
            "POST", "/api/v1/reservations", body=body, headers=JSON, repeatable=True, timeout_s=left_s
        )
        said = _said(reply, sent=True)
        if reply.status != OK:
            raise UpstreamDownError(reply.complaint("flights"), sent=True)
        return [_answer(one, certain=reply.attempts == 1) for one in said["data"]]

    def give_back(self, flight_id: int, seats: int, key: str) -> None:  # noqa: ARG002 - the strategies share one signature
        """Release the key; that also spends it, should the reservation still be on its way."""
        reply = self._flights.call("DELETE", f"/api/v1/flights/{flight_id}/reservations/{key}")
        if reply.status not in {OK, NOT_FOUND}:
            raise UpstreamDownError(reply.complaint("flights"), sent=True)


class ReadThenWriteSeats:
    """Reads the number of seats left, then writes back an absolute one: the first version's way, which loses seats."""

    settles = False

    def __init__(self, flights: Upstream) -> None:
        self._flights = flights

    def take(self, flight_id: int, seats: int, key: str) -> int:  # noqa: ARG002 - the strategies share one signature
        """Read, subtract, write."""
        flight = self._read(flight_id)
        left = flight["totalSeats"] - seats
        if left < 0:
            sentence = f"Flight {flight_id} has {flight['totalSeats']} seats left, fewer than {seats}."
            raise SeatsRefused(409, sentence, {"NoOfSeats": "too few left"}, certain=True)
        self._write(flight_id, left)
        return int(flight["price"])

    def give_back(self, flight_id: int, seats: int, key: str) -> None:  # noqa: ARG002 - the strategies share one signature
        """Read, add, write."""
        self._write(flight_id, self._read(flight_id)["totalSeats"] + seats)

    def _read(self, flight_id: int) -> dict[str, Any]:
        reply = self._flights.call("GET", f"/api/v1/flights/{flight_id}")
        said = _said(reply, sent=False)
        if reply.status == NOT_FOUND:
            raise SeatsRefused(reply.status, said["message"], said["err"], certain=True)
        if reply.status != OK:
            raise UpstreamDownError(reply.complaint("flights"), sent=False)
        data: dict[str, Any] = said["data"]
        return data

    def _write(self, flight_id: int, left: int) -> None:
        body = to_json({"totalSeats": left})
        reply = self._flights.call("PATCH", f"/api/v1/flights/{flight_id}", body=body, headers=JSON)
        if reply.status != OK:
            raise UpstreamDownError(reply.complaint("flights"), sent=True)


def _answer(said: Mapping[str, Any], *, certain: bool) -> int | SeatsRefused:
    """Read what flights said of one of many wishes."""
    if said["status"] == CREATED:
        return int(said["price"])
    return _refused(said["status"], said, certain=certain)


def _refused(status: int, said: Mapping[str, Any], *, certain: bool) -> SeatsRefused:
    """Give flights' refusal as booking's: what flights calls `seats` has another name in the request that we answer."""
    err = {OURS.get(name, name): rule for name, rule in said["err"].items()}
    return SeatsRefused(status, said["message"], err, certain=certain)


def _said(reply: Reply, *, sent: bool) -> dict[str, Any]:
    """Read an answer; one that is no JSON is a proxy's or a dying server's, and says nothing."""
    try:
        said: dict[str, Any] = from_json(reply.body)
    except ValueError as error:
        raise UpstreamDownError(reply.complaint("flights"), sent=sent) from error
    return said


def seats_of(profile: Profile, flights: Upstream) -> Seats:
    """Choose the profile's way of taking seats."""
    return AtomicSeats(flights) if profile.seats == "atomic" else ReadThenWriteSeats(flights)
