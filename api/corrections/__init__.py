"""Corrections by hand: what a person says of a terminal's state, beside what is recorded."""
