"""Debian's mirror is found in whatever way a machine's apt is configured, and nobody else's is."""

import pytest

from tellergrid.engines.sources import (
    Mirror,
    Source,
    debian_mirror,
    parse_deb822,
    parse_one_line,
    render,
)

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEB822 = f"""\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: {KEYRING}

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: {KEYRING}

Types: deb
URIs: https://vendor.example/node
Suites: nodistro
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg
"""


def mirror_of(text: str) -> Mirror | None:
    return debian_mirror(parse_deb822(text))


def test_a_stanza_is_read_with_its_continuation_lines() -> None:
    """Components run over two lines; a comment stands before the first field."""
    first = next(iter(parse_deb822(DEB822)))
    assert first == Source(
        ("http://mirror.example/debian",),
        ("bookworm", "bookworm-updates"),
        ("main", "contrib"),
        KEYRING,
    )


def test_packages_and_security_are_told_apart_and_vendors_passed_over() -> None:
    """A Debian with a vendor's repository beside: the usual developer's machine."""
    mirror = mirror_of(DEB822)
    assert mirror is not None
    assert mirror.packages.uris == ("http://mirror.example/debian",)
    assert mirror.security is not None
    assert mirror.security.uris == ("http://mirror.example/debian-security",)


def test_a_disabled_stanza_and_one_of_sources_only_do_not_count() -> None:
    """`Enabled: no` is how people switch a repository off; deb-src holds nothing to unpack."""
    assert mirror_of(DEB822.replace("Types: deb\n", "Types: deb\nEnabled: no\n")) is not None
    off = "\n\n".join(f"Enabled: no\n{stanza}" for stanza in DEB822.split("\n\n"))
    assert mirror_of(off) is None
    sources = "Types: deb-src\nURIs: http://x/debian\nSuites: trixie\nComponents: main\n"
    assert mirror_of(sources) is None


ONE_LINE = [
    (
        "plain",
        "deb http://mirror.example/debian bookworm main\n",
        Source(("http://mirror.example/debian",), ("bookworm",), ("main",), None),
    ),
    (
        "with options, blanks and a comment",
        f"  deb  [arch=amd64 signed-by={KEYRING}]  http://m/debian/  trixie  main contrib # mine\n",
        Source(("http://m/debian/",), ("trixie",), ("main", "contrib"), KEYRING),
    ),
]


@pytest.mark.parametrize(
    ("text", "source"), [case[1:] for case in ONE_LINE], ids=[case[0] for case in ONE_LINE]
)
def test_a_one_line_entry_is_read(text: str, source: Source) -> None:
    """The older spelling, still on most machines that were upgraded."""
    assert list(parse_one_line(text)) == [source]
    assert debian_mirror(parse_one_line(text)) is not None


@pytest.mark.parametrize(
    "line",
    [
        "# deb http://mirror.example/debian bookworm main",
        "deb-src http://mirror.example/debian bookworm main",
        "deb http://archive.ubuntu.com/ubuntu noble main",
        "deb http://mirror.example/debian bookworm contrib",
        "deb [signed-by=/usr/share/keyrings/vendor.gpg] http://vendor.example/debian bookworm main",
        "deb http://apt.example/repository bookworm main",
        "nonsense",
    ],
)
def test_what_is_not_debians_main_is_no_mirror(line: str) -> None:
    """Another distribution, another key, another component, or no entry at all."""
    assert debian_mirror(parse_one_line(line)) is None


def test_the_rendered_file_asks_for_the_suite_and_its_security_updates() -> None:
    """Where the machine's own entry names a keyring, that one is used."""
    mirror = mirror_of(DEB822)
    assert mirror is not None
    suites = [source.suites for source in parse_deb822(render(mirror, "trixie", None))]
    assert suites == [("trixie",), ("trixie-security",)]
    assert all(
        source.signed_by == KEYRING for source in parse_deb822(render(mirror, "trixie", None))
    )


def test_a_keyring_is_named_only_where_one_is_known() -> None:
    """An entry without a key relies on what the machine trusts, and so do we."""
    mirror = debian_mirror(parse_one_line("deb http://m/debian bookworm main"))
    assert mirror is not None
    assert "Signed-By" not in render(mirror, "trixie", None)
    assert f"Signed-By: {KEYRING}" in render(mirror, "trixie", KEYRING)
