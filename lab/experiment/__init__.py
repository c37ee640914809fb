"""Experiments: runs in pairs, interleaved, each on a platform that was just started, until there is an answer."""
