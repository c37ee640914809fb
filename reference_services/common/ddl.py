"""Types and tables as each database is told to make them, so that all of them keep the same values apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import DateTime
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

if TYPE_CHECKING:
    from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler

# Texts are equal when their characters are, as on SQLite: capitals, accents and spaces at the end count. E-mail
# addresses are the same in any case because they are stored in lower case, and not by a collation.
MARIADB_COLLATION = "utf8mb4_nopad_bin"
MYSQL_COLLATION = "utf8mb4_0900_bin"


class Timestamp(DateTime):
    """A moment to the millisecond."""


@compiles(Timestamp, "mysql", "mariadb")
def _mysql_timestamp(_type: Timestamp, _compiler: object, **_options: object) -> str:
    return "DATETIME(3)"  # a plain DATETIME is cut to seconds there


@compiles(CreateTable, "mysql", "mariadb")
def _mysql_table(element: CreateTable, compiler: MySQLDDLCompiler, **options: object) -> str:
    collation = MARIADB_COLLATION if compiler.dialect.is_mariadb else MYSQL_COLLATION
    statement = compiler.visit_create_table(element, **options).rstrip()  # type: ignore[no-untyped-call]
    return f"{statement} ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation}"
