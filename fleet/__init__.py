"""The domain: wire contract, vocabulary, grid, rules and availability, free of sockets and clocks.

Only `fleet.db` and `fleet.mqtt` do I/O.
"""
