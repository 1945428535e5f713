"""Monthly reports: read from the intervals, kept by version, printed as HTML or PDF."""
