"""What is wrong with settings, in words for who set them."""

from collections.abc import Iterator

from pydantic import ValidationError


def of_settings(error: ValidationError) -> Iterator[str]:
    """Each thing that is wrong, by the name of its variable; never what it was set to."""
    for each in error.errors(include_url=False, include_input=False):
        name = "_".join(str(step) for step in each["loc"]).upper()
        yield f"TELLERGRID_{name}: {each['msg']}" if name else each["msg"]
