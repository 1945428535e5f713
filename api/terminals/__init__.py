"""Terminals: what they are, how they are now, what happened to them."""
