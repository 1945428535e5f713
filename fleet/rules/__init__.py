"""The rule engine: the catalogue of rules, and what follows from them. Pure."""
