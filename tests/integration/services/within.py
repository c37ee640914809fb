"""Services in this process: real ones that talk HTTP, without the servers and processes of a stack."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import make_server

from reference_services.common.composition import make_app, read_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from flask import Flask

SERVICES: Final = ("flights", "auth", "booking", "gateway")
NOWHERE: Final = "http://127.0.0.1:9"


def composed(folder: Path, profile: str, urls: Mapping[str, str], **settings: str) -> Iterator[tuple[str, Flask]]:
    """Compose the services of a booking, one after another; each is told where those before it are.

    Args:
        folder: for their databases, their bus and their key.
        profile: how they work.
        urls: where they are; whoever serves one adds it.
        settings: more of what they are told.
    """
    key = folder / "jwt.key"
    key.write_text("k" * 40, encoding="ascii")
    common = {"PROFILE": profile, "BUS_URL": f"queue://{folder}/bus", "JWT_SECRET_FILE": str(key), "BCRYPT_COST": "4"}
    for service in SERVICES:
        places = {f"{name.upper()}_URL": urls.get(name, NOWHERE) for name in (*SERVICES, "reminder")}
        own = {"DATABASE_URL": f"sqlite:///{folder}/{service}.db", "UPSTREAM_TIMEOUT_S": "60"}
        yield service, make_app(service, read_config(service, {**common, **own, **places, **settings}))


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an app by threads of this process."""

    def whole(environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401 - as WSGI has it
        # The services read a body to its end, which this server does not know.
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, whole, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
