"""The gates of measurement.md §3, one module for each thing that is looked at. Pure."""
