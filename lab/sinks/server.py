"""An InfluxDB server: lines are written, or a reason in few words says why not. Never with a token in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Self

from lab import redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from lab.sinks.config import InfluxConfig

CONNECT_S: Final = 1.0
SAID: Final = 160
NO_TLS: Final = "the TLS handshake failed (who signed a certificate of your own is named by INFLUXDB_V2_SSL_CA_CERT)"
_REFUSED: Final = frozenset({401, 403})
_UNKNOWN: Final = 404
_UNTRUSTED: Final = 0
"""What the client makes of a failed TLS handshake, in place of a status."""
_TAKEN: Final = 204
"""What every InfluxDB says to points that it has taken; other servers say 200 to anything."""


class NotWrittenError(Exception):
    """The server did not take the lines, or may not have; says why in few words."""


class Server:
    """Writes by influxdb-client, which is loaded with the first lines. Used by one thread."""

    def __init__(self, config: InfluxConfig, timeout: float) -> None:
        """Remember where.

        Args:
            config: the server.
            timeout: seconds that an answer may take.
        """
        self._config = config
        self._timeout = timeout
        self._client: Any = None
        self._api: Any = None

    def write(self, lines: Sequence[str]) -> None:
        """Write lines, all in one call.

        Raises:
            NotWrittenError: they were refused, or there was no answer in time.
        """
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - heavy, and not every command needs it
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as above

        try:
            # Lines as bytes are passed on as they are, in one body; the client adds the path and the token.
            self._writer().write(bucket=self._config.bucket, record="\n".join(lines).encode())
        except ApiException as error:
            raise NotWrittenError(self._refusal(error)) from None
        except HTTPError as error:
            raise NotWrittenError(self._silence(error)) from None
        status = self._client.api_client.last_response.status
        if status != _TAKEN:
            raise NotWrittenError(f"it answered {status}, and InfluxDB says {_TAKEN}: it is another server")

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = self._api = None

    def __enter__(self) -> Self:
        """Use it for a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _writer(self) -> Any:  # noqa: ANN401 - the client's own, whose package is loaded here
        if self._api is None:
            from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415 - as in `write`
            from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415 - as in `write`

            config = self._config
            self._client = InfluxDBClient(
                url=config.url,
                token=config.token,
                org=config.org,
                ssl_ca_cert=config.ssl_ca_cert or None,
                timeout=(round(CONNECT_S * 1000), round(self._timeout * 1000)),
                # What fails goes to the spool. And a redirect that is followed would take the token elsewhere.
                retries=False,
            )
            self._api = self._client.write_api(write_options=SYNCHRONOUS)
        return self._api

    def _refusal(self, error: Any) -> str:  # noqa: ANN401 - an ApiException, whose package is not loaded here
        status = error.status
        if status in _REFUSED:
            return f"it refused the token ({status})"
        if status == _UNKNOWN:
            return f'it knows no bucket "{self._config.bucket}" in "{self._config.org}", or is no InfluxDB (404)'
        if status == _UNTRUSTED:
            return f"{NO_TLS}: {self._plain(str(error.reason))}"
        said = _message(error.body)
        return f"it answered {status}" + (f": {self._plain(said)}" if said else "")

    def _silence(self, error: Exception) -> str:
        from urllib3 import exceptions as urllib3  # noqa: PLC0415 - as in `write`

        kinds = (
            (urllib3.NameResolutionError, "the host name is unknown"),
            (urllib3.NewConnectionError, "the connection was refused"),
            (urllib3.ConnectTimeoutError, "it could not be reached in time"),
            (urllib3.TimeoutError, f"it did not answer within {self._timeout:g} s"),
            (urllib3.SSLError, NO_TLS),
            (urllib3.ProtocolError, "the connection broke, or it does not speak HTTP"),
        )
        return next((words for kind, words in kinds if isinstance(error, kind)), self._plain(str(error)))

    def _plain(self, text: str) -> str:
        """Give what a server said: short, on one line, and without the token that it was sent."""
        shown = "".join(char if char.isprintable() else " " for char in redact.url(text))
        if self._config.token:
            shown = shown.replace(self._config.token, redact.HIDDEN)
        return shown[:SAID].strip()


def _message(body: Any) -> str:  # noqa: ANN401 - what a server answered
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return str(found.get("message") or found.get("error") or text) if isinstance(found, dict) else text
