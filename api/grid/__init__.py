"""Writes the grid: cells and terminals from files, and who is where because of them."""
