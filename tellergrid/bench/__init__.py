"""Benchmarks: measured on the machine at hand, several runs, medians; never part of the tests."""
