"""How well cells are covered: what works in them, and how far the next working terminal is."""
