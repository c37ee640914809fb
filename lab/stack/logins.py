"""Ask the stack's own MariaDB and RabbitMQ whether they let their users in: what readiness means for them."""

from __future__ import annotations

import logging
import socket
from typing import Final

from lab.stack.ports import LOOPBACK

TIMEOUT: Final = 2.0


def mariadb(port: int, user: str, password: str, database: str) -> str | None:
    """Give None when the server lets the user into the database, otherwise why not."""
    if not _listens(port):
        return "does not listen"
    import pymysql  # noqa: PLC0415 - wanted by some stacks alone

    try:
        pymysql.connect(
            host=LOOPBACK,
            port=port,
            user=user,
            password=password,
            database=database,
            connect_timeout=int(TIMEOUT),
            read_timeout=TIMEOUT,
        ).close()
    except pymysql.Error as error:
        return f"does not let {user} in ({error})"
    return None


def rabbitmq(port: int, url: str) -> str | None:
    """Give None when the server lets the URL's user in, otherwise why not."""
    if not _listens(port):
        return "does not listen"
    import pika  # noqa: PLC0415 - wanted by some stacks alone
    from pika.adapters.utils.connection_workflow import AMQPConnectorException  # noqa: PLC0415 - as above

    # It tells each failed try at length; the reason that is given here is enough.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = TIMEOUT
    parameters.stack_timeout = 2 * TIMEOUT
    try:
        pika.BlockingConnection(parameters).close()
    except (pika.exceptions.AMQPError, AMQPConnectorException, OSError) as error:
        # A server that is too busy to answer leads to the second, which is no AMQPError.
        return f"does not let the lab in ({type(error).__name__})"
    return None


def _listens(port: int) -> bool:
    """Look before a login is tried: a refused one is a warning in the log of a server that is just starting."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=TIMEOUT).close()
    except OSError:
        return False
    return True
