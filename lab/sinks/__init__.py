"""Where a run's metrics go beside the run folder: as points to InfluxDB, while it runs or later."""
