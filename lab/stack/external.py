"""Servers that are elsewhere: do they answer, and are the four databases there?"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lab import redact
from lab.errors import StackError
from lab.stack.dburl import DatabaseUrl
from lab.stack.mariadb import CHARSET

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from lab.stack.backend import Backend

_SECONDS: Final = 5
_NOT_PERMITTED: Final = frozenset({1044, 1142, 1227})
_SMTP_PORTS: Final = {"smtp": 25, "smtps": 465}


def prepare(backend: Backend) -> None:
    """Log in to the servers of an external backend, and create those of its databases that are missing.

    Raises:
        StackError: a server does not answer or lets nobody in, or the databases cannot be created: then it says the SQL
            that an administrator runs.
    """
    _databases(DatabaseUrl.parse(backend.db_url))
    _bus(backend.amqp_url)
    if backend.smtp_url:
        _mail(backend.smtp_url)


def _databases(server: DatabaseUrl) -> None:
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - wanted by this backend alone
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - as above

    where = f"--db-url: the database server at {server.where}"
    # PyMySQL's own time-out ends with the connection: a server that then says no word is waited for without an end.
    waits = {"connect_timeout": _SECONDS, "read_timeout": 2 * _SECONDS, "write_timeout": 2 * _SECONDS}
    try:
        engine = create_engine(server.url(), poolclass=NullPool, connect_args=waits)
        with engine.connect() as connection:
            _create(connection, server, where)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or type(error).__name__
        raise StackError(f"{where} cannot be used: {reason}; start it, or correct the URL") from None
    except (RuntimeError, TypeError) as error:
        # PyMySQL wants one more package for some ways to log in, and refuses options that it does not know.
        raise StackError(f"{where} cannot be used: {error}; correct the URL") from None


def _create(connection: Connection, server: DatabaseUrl, where: str) -> None:
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - wanted by this backend alone

    there = {str(row[0]) for row in connection.exec_driver_sql("SHOW DATABASES")}
    missing = [name for name in server.names.values() if name not in there]
    statements = [f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET {CHARSET};" for name in missing]
    try:
        for statement in statements:
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        arguments = getattr(error.orig, "args", ())
        if not arguments or arguments[0] not in _NOT_PERMITTED:
            raise
        user = str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar_one())
        who = "'" + user.replace("@", "'@'") + "'"
        # An underscore stands for any character there, unless it is escaped.
        grants = [
            f"GRANT ALL PRIVILEGES ON `{name.replace('_', chr(92) + '_')}`.* TO {who};"
            for name in server.names.values()
        ]
        needed = " ".join(statements + grants)
        raise StackError(f"{where}: its user may not create databases; have an administrator run: {needed}") from None


def _bus(url: str) -> None:
    import pika  # noqa: PLC0415 - wanted by this backend alone
    from pika.adapters.utils.connection_workflow import AMQPConnectorException  # noqa: PLC0415 - as above

    where = f"--amqp-url: RabbitMQ at {redact.url(url)}"
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError, KeyError):
        raise StackError(f"{where}: the URL cannot be read; correct it") from None
    parameters.socket_timeout = parameters.blocked_connection_timeout = _SECONDS
    parameters.stack_timeout = 2 * _SECONDS
    parameters.connection_attempts = 1
    try:
        pika.BlockingConnection(parameters).close()
    except (pika.exceptions.ProbableAuthenticationError, pika.exceptions.AuthenticationError):
        raise StackError(f"{where} refuses the user or the password; correct the URL") from None
    except pika.exceptions.ProbableAccessDeniedError:
        raise StackError(f"{where} refuses the user this virtual host; correct the URL") from None
    except (pika.exceptions.AMQPError, AMQPConnectorException, OSError) as error:
        kind = type(error.args[0] if error.args and isinstance(error.args[0], Exception) else error).__name__
        raise StackError(f"{where} cannot be reached ({kind}); start it, or correct the URL") from None


def _mail(url: str) -> None:
    where = f"--smtp-url: the mail server at {redact.url(url)}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _SMTP_PORTS[parts.scheme.lower()]
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except ValueError:
        raise StackError(f"{where}: the URL cannot be read; correct it") from None
    except OSError as error:
        reason = error.strerror or error
        raise StackError(f"{where} cannot be reached ({reason}); start it, or correct the URL") from None
