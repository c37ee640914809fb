"""One metric over all runs that can be held side by side, in the order of time. Exploratory: it has no verdict."""
