"""Maintenance tickets: their lifecycle as a table, and the decisions that follow from it.

`lifecycle` is the only place that knows which move is possible; `following` decides what the engine
does when telemetry changes; `outcome` what a move makes of a ticket. Who is sent, `fleet.dispatch`
knows. All of it is pure; the api reads and writes.
"""
