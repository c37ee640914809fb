"""A single run for other programs and places: Markdown for a comment, JSON, JUnit XML."""
