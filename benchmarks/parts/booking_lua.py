"""What wrk is told: book a random one of so many flights for one user, and print the figures as JSON at the end."""

from __future__ import annotations

from typing import Final

LUA: Final = """
local token, user, last = "%s", %d, %d
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["x-access-token"] = token
function request()
  return wrk.format(nil, "/bookingservice/api/v1/bookings", nil, string.format(
    '{"flightId":%%d,"userId":%%d,"NoOfSeats":%%d}', math.random(last), user, math.random(4)))
end
function done(summary, latency)
  local failed = summary.errors.status + summary.errors.read + summary.errors.timeout + summary.errors.connect
  io.write(string.format('\\nRESULT {"requests":%%d,"us":%%d,"failed":%%d,"p50":%%d,"p95":%%d}\\n',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(95)))
end
"""
"""To be filled with the token, the user and the last flight."""
