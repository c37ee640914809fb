"""Diagnosis: what a run was held up by, the weightiest first, each finding with its evidence and what to try."""
