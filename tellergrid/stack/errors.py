"""What can go wrong while the stack starts, runs or stops."""


class StackError(Exception):
    """The stack cannot do what was asked; the message says why and what to do."""


class NothingRunsError(StackError):
    """Nothing was started here that a command could speak to."""


class PortTakenError(StackError):
    """A port the stack wants is held by another process."""


class StartError(StackError):
    """A part did not come up; the message quotes its log."""
