"""Create, read, list, change and delete: the same for every kind of thing that the flights service keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from reference_services.common.clock import iso, now
from reference_services.common.database import is_reference_violation, new_id
from reference_services.common.errors import Refusal, invalid, unknown
from reference_services.flights.tables import flights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row, Table

    from reference_services.common.database import Database
    from reference_services.common.fields import Page

Values = dict[str, Any]
TIMES = frozenset({"createdAt", "updatedAt", "departureTime", "arrivalTime"})


class Resource:
    """One kind of thing in one table.

    Attributes:
        kind: its name in sentences.
    """

    def __init__(self, kind: str, table: Table, database: Database, *, unique: str | None = None) -> None:
        self.kind = kind
        self._table = table
        self._database = database
        self._unique = unique
        self._references = {key.parent.name: key.column for key in table.foreign_keys}
        self._by_id = select(table).where(table.c.id == bindparam("id"))

    def create(self, values: Values) -> Values:
        """Add one.

        Raises:
            Refusal: 409 when its unique field is taken, 404 when it refers to something that is not there.
        """
        moment = now()
        row = {**values, "createdAt": moment, "updatedAt": moment}
        try:
            with self._database.writing() as connection:
                self._check_references(connection, row)
                row = self._complete(connection, row)
                done = connection.execute(insert(self._table), row)
                return self._shown(connection, new_id(done))
        except IntegrityError as error:
            raise self._conflict(error) from None

    def read(self, identity: int) -> Values:
        """Give one.

        Raises:
            Refusal: 404.
        """
        with self._database.reading() as connection:
            return self._shown(connection, identity)

    def page(self, page: Page, conditions: Sequence[ColumnElement[bool]] = ()) -> list[Values]:
        """Give a page of them, ordered by id."""
        query = select(self._table).where(*conditions).order_by(self._table.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(page.limit).offset(page.offset)).all()
            return self._presented(connection, rows)

    def change(self, identity: int, values: Values) -> Values:
        """Change some fields of one.

        Raises:
            Refusal: 404, 409, or 400 when the whole would not be valid any more.
        """
        try:
            with self._database.writing() as connection:
                before = connection.execute(self._by_id, {"id": identity}).first()
                if before is None:
                    raise unknown(self.kind, identity)
                self._check_references(connection, values)
                self._check_whole({**before._mapping, **values})  # noqa: SLF001 - SQLAlchemy's public name
                changed = {**values, "updatedAt": now()}
                connection.execute(update(self._table).where(self._table.c.id == identity).values(changed))
                return self._shown(connection, identity)
        except IntegrityError as error:
            raise self._conflict(error) from None

    def delete(self, identity: int) -> Values:
        """Delete one.

        Raises:
            Refusal: 404, or 409 while something refers to it.
        """
        try:
            with self._database.writing() as connection:
                self._before_delete(connection, identity)
                done = connection.execute(delete(self._table).where(self._table.c.id == identity))
        except IntegrityError:
            raise Refusal(409, f"The {self.kind} {identity} is in use.", {self.kind: "in use"}) from None
        if not done.rowcount:
            raise unknown(self.kind, identity)
        return {"id": identity}

    def _complete(self, _connection: Connection, row: Values) -> Values:
        return row

    def _check_whole(self, row: Mapping[str, Any]) -> None:
        """Refuse a combination of fields; a kind without such rules has none."""

    def _before_delete(self, connection: Connection, identity: int) -> None:
        """Remove what belongs to one that is deleted; most kinds own nothing."""

    def _presented(self, _connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Values]:
        return [_as_json(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def _shown(self, connection: Connection, identity: int) -> Values:
        row = connection.execute(self._by_id, {"id": identity}).first()
        if row is None:
            raise unknown(self.kind, identity)
        return self._presented(connection, [row])[0]

    def _check_references(self, connection: Connection, values: Values) -> None:
        for field, column in self._references.items():
            if field in values and not connection.execute(select(column).where(column == values[field])).first():
                raise Refusal(404, f"{field}: there is no {column.table.name} {values[field]}.", {field: "not found"})

    def _conflict(self, error: IntegrityError) -> Refusal:
        if is_reference_violation(error):
            return Refusal(404, f"The {self.kind} refers to something that is gone.", {self.kind: "reference"})
        field = self._unique or self.kind
        return Refusal(409, f"{field}: this value is taken by another {self.kind}.", {field: "taken"})


def _as_json(row: Mapping[Any, Any]) -> Values:
    return {name: iso(value) if name in TIMES else value for name, value in row.items()}


class Flights(Resource):
    """Flights: shown with their airplane, started with its capacity, arriving after they depart."""

    def __init__(self, database: Database, airplane: Table, reservations: Table) -> None:
        super().__init__("flight", flights, database, unique="flightNumber")
        self._reservations = reservations
        self._airplane = airplane
        self._planes = select(airplane.c.id, airplane.c.modelNumber, airplane.c.capacity).where(
            airplane.c.id.in_(bindparam("ids", expanding=True))
        )

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

    def _presented(self, connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Values]:
        ids = sorted({row.airplaneId for row in rows})
        planes = {plane.id: plane for plane in connection.execute(self._planes, {"ids": ids})} if ids else {}
        shown = super()._presented(connection, rows)
        for row in shown:
            plane = planes[row["airplaneId"]]
            row["airplaneDetail"] = {"modelNumber": plane.modelNumber, "capacity": plane.capacity}
        return shown
