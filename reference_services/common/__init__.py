"""What the five services share: app factory, answers, validation, database, bus, client, background work."""
