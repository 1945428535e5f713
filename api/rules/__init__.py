"""Rules: the catalogue that decides what a fault is."""
