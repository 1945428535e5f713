"""How good detection is: what was said of a run, beside the truth about it."""
