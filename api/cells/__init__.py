"""Cells of the grid: who answers for them, what stands in them, how available they were."""
