"""`python -m tellergrid`."""

from tellergrid.cli import main

main()
