"""Run one service in this process: `python -m reference_services.serve SERVICE`, the rest from the environment."""

from __future__ import annotations

import argparse
import os
import sys

from reference_services.common.composition import SERVICES, read_config
from reference_services.common.errors import ConfigError
from reference_services.common.log import log_to_stderr

VARIABLES = """
environment variables:
  HOST, PORT                listen here (127.0.0.1, the service's port of the contract)
  PROFILE                   a rung of the ladder, from as-found to scaled (safe), and changes beside it: safe+indexed
  WORKERS                   processes of a service, where the profile has several (half of the cores)
  LOG_LEVEL, THREADS        least level that is logged; requests handled at once (32)
  DATABASE_URL              auth, flights, booking, reminder: an SQLAlchemy URL
  BUS_URL                   booking, reminder: queue:///directory or amqp://user:password@host:port/vhost, amqps://…
                            (?heartbeat=seconds; amqps: &cafile=file, &verify=no)
  BUS_EXCHANGE, BUS_BINDING_KEY, BUS_QUEUE
  SMTP_URL, MAIL_FROM       reminder: smtp://user:password@host:port (?starttls=required) or smtps://…, the sender
                            (encrypted: &cafile=file, &verify=no)
  AUTH_URL, FLIGHTS_URL, BOOKING_URL, REMINDER_URL
                            gateway: all; booking: FLIGHTS_URL
  JWT_SECRET_FILE           auth, and the gateway where it verifies tokens itself: a file with keys, one on each line,
                            of at least 32 characters; the first signs, all verify; it is read again when it changes
  BCRYPT_COST               auth: of a password's hash, 4 to 15 (10)
  RATE_LIMIT_PER_MINUTE     gateway: per client address (1000000)
  MAX_BODY_BYTES            largest body (1048576)
  UPSTREAM_TIMEOUT_S        how long to wait for another service (5)
  SERVER_TIMING             whether answers tell where their time went: on (default) or off
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a service until it is told to stop; 0 after a stop, 1 with the reason as the last line of stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m reference_services.serve",
        description="Run one service of the Airbourne platform.",
        epilog=VARIABLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("service", choices=SERVICES, metavar="SERVICE", help=", ".join(SERVICES))
    service: str = parser.parse_args(arguments).service
    try:
        config = read_config(service, os.environ)
        log_to_stderr(service, config.common.log_level)
        from reference_services.common.server import serve  # noqa: PLC0415 - imported only where it is needed

        return serve(service, config)
    except ConfigError as problem:
        sys.stderr.write(f"{service} cannot start: {problem}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
