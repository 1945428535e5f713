"""`tellergrid status`."""


def status() -> None:
    """Show status."""
