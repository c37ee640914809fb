"""Fill a target, through its own HTTP API, with the data that a load test needs."""
