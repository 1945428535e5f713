"""Uptime of anything, by anything, in buckets of anybody's clock: figures and outages."""
