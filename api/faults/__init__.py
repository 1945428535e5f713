"""Faults: what the collector says is wrong; the api only reads them."""
