"""Tells people what happened: a durable outbox, and what goes out of it."""
