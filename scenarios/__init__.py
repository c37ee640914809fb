"""The scenarios that ship: load as data (*.toml) and the user classes that they name (users.py)."""
