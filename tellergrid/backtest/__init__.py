"""A catalogue tried on what is stored: what it would have changed, before it is used."""
