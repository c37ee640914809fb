"""The load engine. Its worker is a child process, since importing Locust patches the whole interpreter."""
