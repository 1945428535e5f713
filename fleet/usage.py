"""What a program that is told everything by its environment answers when it is asked for help."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from textwrap import fill

from pydantic_settings import BaseSettings

_WIDTH = 96
_INDENT = "        "


def take_no_arguments(
    arguments: Sequence[str], program: str, about: str, settings: type[BaseSettings]
) -> None:
    """End the program with its help where that is asked for, and with 2 for anything else."""
    ArgumentParser(
        program,
        description=about,
        epilog="\n".join(("Its settings are variables of the environment:", *_settings(settings))),
        formatter_class=RawDescriptionHelpFormatter,
    ).parse_args(arguments)


def _settings(settings: type[BaseSettings]) -> Iterator[str]:
    """Each variable, whether it must be set, and what it means."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, about in settings.model_fields.items():
        required = " (required)" if about.is_required() else ""
        yield f"  {prefix}{name.upper()}{required}"
        text = about.description or ""
        yield fill(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
