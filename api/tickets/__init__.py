"""Tickets: raised by faults, given to technicians, moved by people and by telemetry.

`store` reads, `writing` is the one place that writes, `moves` is what people ask for, `engine` what
follows from telemetry. What is decided is decided in `fleet.tickets`.
"""
