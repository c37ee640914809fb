"""Why RabbitMQ cannot be used, as a sentence: what is wrong, where, and what to do about it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from pika.adapters.utils.connection_workflow import AMQPConnectionWorkflowFailed
from pika.exceptions import (
    AMQPHeartbeatTimeout,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ConnectionOpenAborted,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

if TYPE_CHECKING:
    from reference_services.common.amqp_address import AmqpAddress

ACCESS_REFUSED = 403
PRECONDITION_FAILED = 406


def why(error: BaseException, address: AmqpAddress) -> str:
    """Say why a connection or a channel cannot be used."""
    return f"{address.name} {_what(error, address)}"


def _what(error: BaseException, address: AmqpAddress) -> str:
    if isinstance(error, ProbableAuthenticationError):
        return f'refuses the login of "{address.user}": check user and password in BUS_URL'
    if isinstance(error, ProbableAccessDeniedError):
        return f'has no virtual host "{address.virtual_host}" for "{address.user}": check the path of BUS_URL'
    if isinstance(error, ChannelClosedByBroker) and error.reply_code == PRECONDITION_FAILED:
        return (
            f"has the queue or exchange, declared in another way ({error.reply_text}): "
            "delete it there, or name another by BUS_QUEUE or BUS_EXCHANGE"
        )
    if isinstance(error, ChannelClosedByBroker | ConnectionClosedByBroker):
        refused = error.reply_code == ACCESS_REFUSED
        return f"{'refuses' if refused else 'closed the connection'}: {error.reply_text}"
    return _silence(error, address)


def _silence(error: BaseException, address: AmqpAddress) -> str:
    if isinstance(error, ConnectionOpenAborted):
        return "does not answer in time"
    if isinstance(error, AMQPHeartbeatTimeout):
        return f"was silent for {address.heartbeat_s} s"
    root = _root(error)
    if isinstance(root, ssl.SSLCertVerificationError):
        return f"has a certificate that is not accepted ({root.verify_message}): name who signs it by cafile="
    return f"is away: {root.strerror if isinstance(root, OSError) and root.strerror else root}"


def _root(error: BaseException) -> BaseException:
    """Dig out what pika wrapped, for its wrappers say more of pika than of the trouble."""
    inner = error.exceptions[-1:] if isinstance(error, AMQPConnectionWorkflowFailed) else error.args[:1]
    cause = getattr(error, "exception", None) or (inner[0] if inner else None)
    return _root(cause) if isinstance(cause, BaseException) else error
