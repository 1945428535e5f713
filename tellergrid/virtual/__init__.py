"""Virtual time: a simulated fleet straight into the engine, without network, clock or database."""
