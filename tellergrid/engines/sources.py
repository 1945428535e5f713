"""Reads the machine's own apt sources and picks Debian's mirror out of them.

Both spellings are understood: deb822 stanzas (`*.sources`) and one-line entries (`*.list`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

_RELEASES = frozenset(
    (
        *("buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid", "experimental"),
        *("oldoldstable", "oldstable", "stable", "testing", "unstable"),
    )
)
_DEBIAN_KEYRING = re.compile(r"^debian-archive-\S*\.(gpg|pgp|asc)$")
_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<rest>.+)$")


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of apt's sources, of binary packages."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where Debian's packages, and its security updates if known, come from on this machine."""

    packages: Source
    security: Source | None


def parse_deb822(text: str) -> Iterator[Source]:
    """Yield the enabled binary sources of a `*.sources` file."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").strip().lower() in {"no", "false", "0", "off"}:
            continue
        yield Source(
            tuple(fields.get("uris", "").split()),
            tuple(fields.get("suites", "").split()),
            tuple(fields.get("components", "").split()),
            fields.get("signed-by", "").strip() or None,
        )


def parse_one_line(text: str) -> Iterator[Source]:
    """Yield the binary sources of a `*.list` file."""
    for line in text.splitlines():
        match = _ONE_LINE.match(line.split("#", 1)[0].strip())
        if match is None:
            continue
        options = dict(
            option.split("=", 1) for option in (match["options"] or "").split() if "=" in option
        )
        suite, *components = match["rest"].split()
        yield Source((match["uri"],), (suite,), tuple(components), options.get("signed-by"))


def debian_mirror(sources: Iterable[Source]) -> Mirror | None:
    """Pick the mirror that serves Debian's main component, or None when there is none."""
    debian = [source for source in sources if _is_debian(source)]
    packages = next((source for source in debian if not _is_security(source)), None)
    security = next((source for source in debian if _is_security(source)), None)
    return Mirror(packages, security) if packages else None


def render(mirror: Mirror, suite: str, keyring: str | None) -> str:
    """Write a `*.sources` file of one suite of the mirror.

    `keyring` stands in where the machine's own entry names none; without either, apt trusts what
    the machine trusts.
    """
    stanzas = [(mirror.packages, suite)]
    if mirror.security is not None:
        stanzas.append((mirror.security, f"{suite}-security"))
    return "\n".join(_stanza(source, name, keyring) for source, name in stanzas)


def _fields(stanza: str) -> dict[str, str]:
    """Read one stanza: names in lower case, continuation lines joined, comments dropped."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')}\n{line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _is_debian(source: Source) -> bool:
    if "main" not in source.components or not source.uris:
        return False
    if not any(re.split(r"[-/]", suite)[0] in _RELEASES for suite in source.suites):
        return False
    if source.signed_by and source.signed_by.startswith("/"):
        return bool(_DEBIAN_KEYRING.match(PurePosixPath(source.signed_by.split()[0]).name))
    return "debian" in PurePosixPath(source.uris[0]).name


def _is_security(source: Source) -> bool:
    return all(suite.endswith(("-security", "/updates")) for suite in source.suites)


def _stanza(source: Source, suite: str, keyring: str | None) -> str:
    named = source.signed_by if source.signed_by and source.signed_by.startswith("/") else keyring
    signed = f"Signed-By: {named}\n" if named else ""
    uris = " ".join(source.uris)
    return f"Types: deb\nURIs: {uris}\nSuites: {suite}\nComponents: main\n{signed}"
