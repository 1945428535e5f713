"""A collector whose clock can be set back: `python -m tests.e2e.set_back`.

SET_BACK names a file; while it is there, the time of day is an hour earlier.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector import clock
from collector.__main__ import main


def _time_of_day() -> datetime:
    back = timedelta(hours=1) if Path(os.environ["SET_BACK"]).exists() else timedelta()
    return datetime.now(UTC) - back


if __name__ == "__main__":
    clock.time_of_day = _time_of_day
    sys.exit(main())
