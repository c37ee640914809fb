"""The linter: what is wrong with a test, said with the arithmetic before anybody runs it. Pure but for `routine`."""
