"""Turn runs into text and HTML."""
