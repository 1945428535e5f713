"""Planned windows and service schedules: what is not judged, and when nobody is called."""
