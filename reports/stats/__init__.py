"""The statistics of comparison: one number per run goes in, effects, verdicts and what a surer answer costs come out.

Every module is pure: no run folder, no unit, no metric's name. What it computes rests on scipy; what it decides is
measurement.md §5, in its order. docs/comparison.md says in plain words what is done, docs/decisions/007 why.
"""
