"""Become a private MariaDB (or MySQL) server: `python -m lab.stack.mariadb FOLDER PORT SECRETS`.

The server keeps all that it has in FOLDER, listens on loopback alone and knows nothing of the system's own
configuration. Each database has a user of its own name; their passwords stand in the folder SECRETS. This process makes
what is missing and then becomes the server: a signal to the one is a signal to the other.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NoReturn

from lab.errors import LabError, StackError
from lab.stack import programs
from lab.stack.passwords import password
from lab.stack.ports import LOOPBACK
from lab.stack.privileges import Account

DATABASES: Final = {"auth": "auth", "flights": "flights", "booking": "booking", "reminder": "notification"}
"""The database of each service that has one; its user has the same name."""

ADMIN: Final = "root"
CHARSET: Final = "utf8mb4"
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TZ": "UTC", "LANG": "C.UTF-8"}
_MAKE_SECONDS: Final = 60.0

_OPTIONS: Final = (
    f"--bind-address={LOOPBACK}",
    # Relative to the data: a socket's path may have no more than 107 bytes.
    "--socket=server.sock",
    "--pid-file=server.pid",
    "--skip-name-resolve",
    # Four services with a pool of 32 connections and 8 more each, and some for people and probes.
    "--max-connections=200",
    f"--character-set-server={CHARSET}",
    "--transaction-isolation=READ-COMMITTED",
    "--innodb-flush-log-at-trx-commit=1",
    "--skip-log-bin",
    # Whoever looks whether the server listens is no warning.
    "--loose-log-warnings=1",
    "--performance-schema=OFF",
    "--loose-innodb-log-file-size=33554432",
)
_MYSQL_OPTIONS: Final = (
    "--loose-mysqlx=OFF",
    "--secure-file-priv=NULL",
    # PyMySQL needs one more package for MySQL 8's own method; each version has one of these.
    "--loose-mysql-native-password=ON",
    "--loose-authentication-policy=mysql_native_password",
    "--loose-default-authentication-plugin=mysql_native_password",
)


def key(user: str) -> str:
    """Give the name of a user's secret."""
    return f"mariadb-{user}"


def url(port: int, user: str, secret: str, database: str) -> str:
    """Give the SQLAlchemy URL of a database."""
    return f"mysql+pymysql://{user}:{secret}@{LOOPBACK}:{port}/{database}?charset={CHARSET}"


def command(server: Path, folder: Path, port: int, *, mariadb: bool) -> list[str]:
    """Give the command line of the server, which holds no secret."""
    files = [f"--datadir={folder / 'data'}", f"--tmpdir={folder / 'tmp'}", f"--init-file={folder / 'init.sql'}"]
    own = () if mariadb else _MYSQL_OPTIONS
    return [str(server), "--no-defaults", *files, f"--port={port}", *_OPTIONS, *own]


def statements(secrets: Path) -> str:
    """Give the SQL that each start runs before anybody may log in: databases, users, passwords."""
    root = password(secrets, key(ADMIN))
    lines = [f"ALTER USER '{ADMIN}'@'localhost' IDENTIFIED BY '{root}';"]
    lines += _user(ADMIN, root, "*.*", " WITH GRANT OPTION")
    for name in DATABASES.values():
        lines.append(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET {CHARSET};")
        lines += _user(name, password(secrets, key(name)), f"`{name}`.*")
    return "\n".join([*lines, ""])


def run(folder: Path, port: int, secrets: Path) -> NoReturn:
    """Make what is missing of the server in a folder, and become it.

    Raises:
        StackError: the server is not installed, or its system tables cannot be made.
    """
    server = programs.database()
    mariadb = _is_mariadb(server)
    account = Account.of("mysql")
    for path in (folder, folder / "tmp"):
        account.folder(path)
    _make_tables(server, folder, account, mariadb=mariadb)
    account.file(folder / "init.sql", statements(secrets))
    account.become(command(server, folder, port, mariadb=mariadb), _ENVIRONMENT, folder)


def _user(name: str, secret: str, what: str, more: str = "") -> list[str]:
    who = f"'{name}'@'{LOOPBACK}'"
    return [
        f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY '{secret}';",
        f"ALTER USER {who} IDENTIFIED BY '{secret}';",
        f"GRANT ALL PRIVILEGES ON {what} TO {who}{more};",
    ]


def _is_mariadb(server: Path) -> bool:
    asked = [str(server), "--no-defaults", "--version"]
    said = subprocess.run(asked, capture_output=True, check=False, timeout=_MAKE_SECONDS)  # noqa: S603 - as below
    return b"MariaDB" in said.stdout


def _make_tables(server: Path, folder: Path, account: Account, *, mariadb: bool) -> None:
    """Make the system tables; a making that was interrupted is begun again."""
    made, data = folder / "made", folder / "data"
    if made.exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    account.folder(data)
    if mariadb:
        # The one account that this makes has no password: it is the system user root's, by the socket alone.
        maker = [str(programs.database_maker()), "--no-defaults", f"--datadir={data}", "--skip-test-db"]
        maker += ["--skip-name-resolve", "--auth-root-authentication-method=socket"]
    else:
        maker = [str(server), "--no-defaults", "--initialize-insecure", f"--datadir={data}"]
    try:
        subprocess.run(  # noqa: S603 - a program of the server's package
            maker,
            # In a folder for temporary files that it shares, another server's start would remove its tables.
            env={**_ENVIRONMENT, "TMPDIR": str(folder / "tmp")},
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=_MAKE_SECONDS,
            **account.for_subprocess,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stdout + error.stderr).decode("utf-8", "replace").strip()
        raise StackError(f"{maker[0]} could not make a database in {data} (exit {error.returncode}):\n{said}") from None
    made.touch()


def main(arguments: list[str]) -> None:
    """Become the server that the arguments describe."""
    folder, port, secrets = arguments
    try:
        run(Path(folder), int(port), Path(secrets))
    except LabError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
