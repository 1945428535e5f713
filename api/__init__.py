"""The api: uptime, faults, tickets and dispatch for people, over HTTP."""
