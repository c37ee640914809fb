"""Become a private RabbitMQ server: `python -m lab.stack.rabbitmq FOLDER PORT NODE_PORT SECRETS`.

The server keeps all that it has in FOLDER, listens on loopback alone and knows nothing of the system's own
configuration. Erlang's port mapper, which servers of a machine share and which outlives them, is not used: the node's
own port is given. This process becomes the server: a signal to the one is a signal to the other.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NoReturn

from lab.errors import LabError
from lab.stack import programs
from lab.stack.passwords import password
from lab.stack.ports import LOOPBACK
from lab.stack.privileges import Account

USER: Final = "airbourne"
SECRET: Final = "rabbitmq-airbourne"  # noqa: S105 - the name of the file
_NODE: Final = "airbourne@localhost"
"""Always the same: the data is kept under this name."""


def url(port: int, secret: str) -> str:
    """Give the AMQP URL of the default virtual host."""
    return f"amqp://{USER}:{secret}@{LOOPBACK}:{port}/%2F"


def configuration(port: int, secret: str) -> str:
    """Give the text of rabbitmq.conf."""
    return "\n".join(
        [
            f"listeners.tcp.1 = {LOOPBACK}:{port}",
            f"default_user = {USER}",
            f"default_pass = {secret}",
            "log.file = false",
            "log.console = true",
            "log.console.use_colors = off",
            "",
        ]
    )


def environment(folder: Path, node_port: int) -> dict[str, str]:
    """Give the whole environment of the server, which holds no secret."""
    node = f"-sname {_NODE} -start_epmd false -erl_epmd_port {node_port}"
    interface = f"-kernel inet_dist_use_interface {{{LOOPBACK.replace('.', ',')}}}"
    return {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/opt/homebrew/bin",
        "HOME": str(folder),
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        # The start script then becomes Erlang instead of staying in front of it.
        "RUNNING_UNDER_SYSTEMD": "true",
        # Once a minute the server sees to it that the port mapper runs, by starting an Erlang: this goes for it too.
        "ERL_FLAGS": "-start_epmd false",
        # A dump of its memory would hold the passwords.
        "ERL_CRASH_DUMP_SECONDS": "0",
        "RABBITMQ_NODENAME": _NODE,
        "RABBITMQ_DIST_PORT": str(node_port),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOG": "warning",
        "RABBITMQ_MAX_NUMBER_OF_PROCESSES": "65536",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{node} {interface} +S 2:2 +SDcpu 2:2",
    }


def run(folder: Path, port: int, node_port: int, secrets: Path) -> NoReturn:
    """Make what is missing of the server in a folder, and become it.

    Raises:
        StackError: the server is not installed.
    """
    server = programs.broker()
    account = Account.of("rabbitmq")
    account.folder(folder)
    account.file(folder / "rabbitmq.conf", configuration(port, password(secrets, SECRET)))
    account.file(folder / "enabled_plugins", "[].\n")
    account.become([str(server)], environment(folder, node_port), folder)


def main(arguments: list[str]) -> None:
    """Become the server that the arguments describe."""
    folder, port, node_port, secrets = arguments
    try:
        run(Path(folder), int(port), int(node_port), Path(secrets))
    except LabError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
