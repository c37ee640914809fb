"""Connect to a master that welcomes a worker and gives it its plan in one breath; print what the worker heard."""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import json
import sys
import time

import gevent
from locust.rpc.protocol import Message

from lab.engine import wire
from lab.engine.follower import Follower


def main() -> None:
    """Be both sides."""
    wire.use_key("")
    server = wire.Server("127.0.0.1", 0)
    heard: list[str] = []

    def lead() -> None:
        client, _ = server.recv_from_client()  # type: ignore[no-untyped-call]  # Locust's
        for message in (Message("ack", {"index": 0}, client), Message(wire.PLAN, "the plan", client)):
            server.send_to_client(message)

    gevent.spawn(lead)
    orders = {wire.PLAN: heard.append}
    Follower(Environment(), ("127.0.0.1", server.port), {}, 10.0, lambda: False, orders)
    end = time.monotonic() + 5
    while not heard and time.monotonic() < end:
        gevent.sleep(0.01)
    sys.stdout.write(json.dumps(heard))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
