"""Create, read, list, change and delete: the same for every kind of thing that the flights service keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from reference_services.common.clock import iso, now
from reference_services.common.database import new_id
from reference_services.common.errors import Refusal, invalid, unknown
from reference_services.flights.tables import flights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select, Table

    from reference_services.common.database import Database
    from reference_services.common.fields import Page
    from reference_services.common.searching import Paging

Values = dict[str, Any]
TIMES = frozenset({"createdAt", "updatedAt", "departureTime", "arrivalTime"})


class Resource:
    """One kind of thing in one table.

    Attributes:
        kind: its name in sentences.
    """

    def __init__(
        self, kind: str, table: Table, database: Database, paging: Paging, *, unique: str | None = None
    ) -> None:
        self.kind = kind
        self._table = table
        self._database = database
        self._paging = paging
        self._unique = unique
        self._references = {key.parent.name: key.column for key in table.foreign_keys}
        # One statement finds all that is shown: two could see two states.
        self._seen = self._select()
        self._by_id = self._seen.where(table.c.id == bindparam("id"))
        self._locked = select(table).where(table.c.id == bindparam("id")).with_for_update()

    def create(self, values: Values) -> Values:
        """Add one.

        Raises:
            Refusal: 409 when its unique field is taken, 404 when it refers to something that is not there.
        """
        moment = now()
        stamped = {**values, "createdAt": moment, "updatedAt": moment}

        def add(connection: Connection) -> Values:
            self._check_references(connection, stamped)
            row = self._complete(connection, stamped)
            return self._shown(connection, new_id(connection.execute(insert(self._table), row)))

        return self._written(add)

    def read(self, identity: int) -> Values:
        """Give one.

        Raises:
            Refusal: 404.
        """
        return self._database.read(lambda connection: self._shown(connection, identity))

    def page(self, page: Page, conditions: Sequence[ColumnElement[bool]] = ()) -> list[Values]:
        """Give a page of them, ordered by id."""
        query = self._paging(self._seen, self._table.c.id, conditions, page)
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return [self._as_json(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def change(self, identity: int, values: Values) -> Values:
        """Change some fields of one.

        Raises:
            Refusal: 404, 409, or 400 when the whole would not be valid any more.
        """

        def change(connection: Connection) -> Values:
            # Locked, so that two changes that are each right cannot make a whole that is wrong.
            before = connection.execute(self._locked, {"id": identity}).first()
            if before is None:
                raise unknown(self.kind, identity)
            self._check_references(connection, values)
            self._check_whole({**before._mapping, **values})  # noqa: SLF001 - SQLAlchemy's public name
            changed = {**values, "updatedAt": now()}
            connection.execute(update(self._table).where(self._table.c.id == identity).values(changed))
            return self._shown(connection, identity)

        return self._written(change)

    def delete(self, identity: int) -> Values:
        """Delete one.

        Raises:
            Refusal: 404, or 409 while something refers to it.
        """

        def remove(connection: Connection) -> None:
            if connection.execute(self._locked, {"id": identity}).first() is None:
                raise unknown(self.kind, identity)
            self._before_delete(connection, identity)
            connection.execute(delete(self._table).where(self._table.c.id == identity))

        try:
            self._database.write(remove)
        except IntegrityError:
            raise Refusal(409, f"The {self.kind} {identity} is in use.", {self.kind: "in use"}) from None
        return {"id": identity}

    def _complete(self, _connection: Connection, row: Values) -> Values:
        return row

    def _check_whole(self, row: Mapping[str, Any]) -> None:
        """Refuse a combination of fields; a kind without such rules has none."""

    def _before_delete(self, connection: Connection, identity: int) -> None:
        """Remove what belongs to one that is deleted; most kinds own nothing."""

    def _select(self) -> Select[Any]:
        return select(self._table)

    def _as_json(self, row: Mapping[Any, Any]) -> Values:
        return {name: iso(value) if name in TIMES else value for name, value in row.items()}

    def _shown(self, connection: Connection, identity: int) -> Values:
        row = connection.execute(self._by_id, {"id": identity}).first()
        if row is None:
            raise unknown(self.kind, identity)
        return self._as_json(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name

    def _check_references(self, connection: Connection, values: Values) -> None:
        for field, column in self._references.items():
            # Locked against its end: what is found here is still there at the insert.
            wanted = select(column).where(column == values.get(field)).with_for_update(read=True)
            if field in values and not connection.execute(wanted).first():
                raise Refusal(404, f"{field}: there is no {column.table.name} {values[field]}.", {field: "not found"})

    def _written(self, work: Callable[[Connection], Values]) -> Values:
        try:
            return self._database.write(work)
        except IntegrityError as error:
            if self._database.is_reference_violation(error):
                sentence = f"The {self.kind} refers to something that is gone."
                raise Refusal(404, sentence, {self.kind: "reference"}) from None
            field = self._unique or self.kind
            raise Refusal(409, f"{field}: this value is taken by another {self.kind}.", {field: "taken"}) from None


class Flights(Resource):
    """Flights: shown with their airplane, started with its capacity, arriving after they depart."""

    def __init__(self, database: Database, paging: Paging, airplane: Table, reservations: Table) -> None:
        self._reservations = reservations
        self._airplane = airplane
        super().__init__("flight", flights, database, paging, unique="flightNumber")

    def _complete(self, connection: Connection, row: Values) -> Values:
        self._check_whole(row)
        capacity = select(self._airplane.c.capacity).where(self._airplane.c.id == row["airplaneId"])
        return {**row, "totalSeats": connection.execute(capacity).scalar_one()}

    def _check_whole(self, row: Mapping[str, Any]) -> None:
        if row["departureAirportID"] == row["arrivalAirportId"]:
            raise invalid("arrivalAirportId", "must be another airport than departureAirportID")
        departure: datetime = row["departureTime"]
        if row["arrivalTime"] <= departure:
            raise invalid("arrivalTime", f"must be after departureTime ({iso(departure)})")

    def _before_delete(self, connection: Connection, identity: int) -> None:
        kept = self._reservations
        connection.execute(delete(kept).where(kept.c.flightId == identity, kept.c.released.is_(True)))

    def _select(self) -> Select[Any]:
        plane = self._airplane
        return select(flights, plane.c.modelNumber, plane.c.capacity).join(plane)

    def _as_json(self, row: Mapping[Any, Any]) -> Values:
        shown = super()._as_json(row)
        plane = {name: shown.pop(name) for name in ("modelNumber", "capacity")}
        return {**shown, "airplaneDetail": plane}
