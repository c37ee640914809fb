"""The lab: a scenario, a target and a dataset go in; a run that can be believed comes out."""
