"""What every test may ask for. Nothing here starts anything until a test asks."""

pytest_plugins = ["tests.engines"]
