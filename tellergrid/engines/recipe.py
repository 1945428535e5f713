"""What is unpacked for each engine, and what of its dependencies is left out, and why."""

import hashlib
from dataclasses import dataclass

SUITE = "trixie"

# Raise this when unpacking or patching changes, so that copies made before are made anew.
_RECIPE_VERSION = 1

# Run by package scripts alone, and no package script is run here; perl is there for them.
_MAINTAINER_TOOLS = (
    *("adduser", "base-passwd", "debconf", "init-system-helpers", "login.defs", "netbase"),
    *("passwd", "procps", "sensible-utils", "ssl-cert", "sysvinit-utils", "ucf"),
    *("postgresql-common*", "postgresql-client-common", "readline-common", "openssl*"),
    *("libdebconfclient0", "libpam-modules*", "libproc2-*", "libncursesw6", "libsemanage*"),
    *("libsepol2", "libaudit-common", "libsasl2-modules-db", "libdb5.3*"),
    *("perl", "perl-*", "libperl*", "lib*-perl", "libgdbm*"),
)
# The database runs with jit off: its plans are short.
_JIT = ("libllvm*", "libz3-*")
# The locale is C everywhere; time zones are read from the machine.
_DATA = ("locales", "libc-l10n", "libc-bin", "tzdata")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Packages to unpack with what they depend on, and the executables wanted of them.

    `executables` are paths from the root, or patterns of them where a version is in the path;
    `rubbish` is deleted after unpacking.
    """

    packages: tuple[str, ...]
    executables: tuple[str, ...]
    without: tuple[str, ...] = (*_MAINTAINER_TOOLS, *_JIT, *_DATA)
    rubbish: tuple[str, ...] = ("usr/share/locale", "usr/share/man")
    disk_bytes: int = 600_000_000

    def __add__(self, other: "Recipe") -> "Recipe":
        return Recipe(
            (*self.packages, *other.packages),
            (*self.executables, *other.executables),
            tuple(dict.fromkeys((*self.without, *other.without))),
            tuple(dict.fromkeys((*self.rubbish, *other.rubbish))),
            max(self.disk_bytes, other.disk_bytes),
        )

    def stamp(self, architecture: str) -> str:
        """Name a copy: two copies of one name hold the same and were made alike."""
        made_of = repr((_RECIPE_VERSION, SUITE, architecture, self))
        return f"{SUITE}-{architecture}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"


_POSTGRES_PROGRAMS = ("postgres", "initdb", "pg_ctl", "pg_isready", "pg_dump", "pg_restore", "psql")
_POSTGRES_BIN = "usr/lib/postgresql/17/bin"
POSTGRES = Recipe(
    packages=("postgresql-17-timescaledb",),
    executables=tuple(f"{_POSTGRES_BIN}/{name}" for name in _POSTGRES_PROGRAMS),
    rubbish=("usr/share/locale", "usr/share/man", "usr/lib/postgresql/17/lib/bitcode"),
)
MOSQUITTO = Recipe(
    packages=("mosquitto", "mosquitto-clients"),
    executables=(
        "usr/sbin/mosquitto",
        *(f"usr/bin/mosquitto_{name}" for name in ("pub", "sub", "rr", "passwd")),
    ),
)
