"""What can be wrong with what the simulator was asked."""


class SimulatorError(Exception):
    """The simulator was asked for something it cannot do; the message says what and why."""


class RequestError(SimulatorError):
    """A tester's request names what is not there: a terminal, a property, a value."""


class ScenarioError(SimulatorError):
    """A scenario is not there or cannot be read; names the file and the field."""


class StateError(SimulatorError):
    """The state file cannot be used; the message says what to do."""


class OtherSimulatorError(SimulatorError):
    """Another simulator already plays these terminals on this broker."""


class LimitError(SimulatorError):
    """The machine does not allow so many connections; the message says what to do."""


class CertificateError(SimulatorError):
    """A terminal has no certificate, or a file is none; names it."""


class RecordingError(SimulatorError):
    """A recording is not there or cannot be read; names the file and the line."""
