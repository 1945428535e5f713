"""Where notifications go: channels from a file, which holds secrets and is read once."""

import re
from collections.abc import Hashable
from datetime import time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo, available_timezones

import apprise
import httpx
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from fleet.language import Language
from fleet.notifications.routing import TECHNICIANS, Kind, Told
from fleet.notifications.signing import secret_bytes
from fleet.notifications.timing import Quiet
from fleet.tickets.lifecycle import Role

PLACEHOLDER = "{technician}"
_STANDS_FOR = re.compile(r"\{\w+\}")
_TOLD = (TECHNICIANS, Role.OPERATIONS, Role.ADMIN)
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class ChannelsError(Exception):
    """The file of channels cannot be used; says where it is wrong, and quotes nothing of it."""


def _hours(value: str | None) -> str | None:
    if value is not None and _HOURS.fullmatch(value) is None:
        raise ValueError("must be like 22:00-07:00")
    if value is not None and len(set(value.split("-"))) == 1:
        raise ValueError("must end at another time than it begins")
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is no time zone")
    return value


def _secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        secret_bytes(value.get_secret_value())
    return value


def _recipients(value: list[str]) -> list[str]:
    """Taken for a technician's code, a misspelt role would tell nobody, and nobody of it."""
    for name in value:
        near = get_close_matches(name.casefold(), _TOLD, n=1, cutoff=0.8)
        if near and name not in _TOLD:
            raise ValueError(f"did you mean {near[0]}?")
    return value


class Channel(BaseModel):
    """A way to somebody. With a secret it is a signed webhook, else a URL as Apprise has them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    to: Annotated[list[str], AfterValidator(_recipients)] = Field(
        min_length=1, description="Roles, technicians' codes, or `technicians`"
    )
    url: SecretStr = Field(description="`{technician}` in it is whoever is told")
    secret: Annotated[SecretStr | None, AfterValidator(_secret)] = None
    kinds: list[Kind] = Field(default=list(Kind), min_length=1)
    language: Language = Language.CHINESE
    quiet: Annotated[str | None, AfterValidator(_hours)] = None
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    digest_minutes: int = Field(default=0, ge=0, le=1440)

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        for name in _STANDS_FOR.findall(self.url.get_secret_value()):
            if name != PLACEHOLDER:
                raise ValueError(f"url: of what is in braces only {PLACEHOLDER} is known")
        if self.secret is not None and not _is_web(self.address("T01")):
            raise ValueError("url: a webhook is called at https:// or http://, and a host")
        if self.secret is None and not apprise.Apprise().add(self.address("T01")):
            raise ValueError("url: Apprise knows no such address; a webhook needs a secret")
        return self

    @property
    def tells_doubles(self) -> bool:
        """Whether a receiver can tell that a delivery came twice: by the id of a webhook."""
        return self.secret is not None

    @property
    def digest(self) -> timedelta:
        """How long it gathers before it tells."""
        return timedelta(minutes=self.digest_minutes)

    @property
    def hours(self) -> Quiet | None:
        """Its quiet hours."""
        found = _HOURS.fullmatch(self.quiet or "")
        if found is None:
            return None
        begin, end = (time(int(found[n]), int(found[n + 1])) for n in (1, 3))
        return Quiet(begin, end, ZoneInfo(self.time_zone))

    def takes(self, told: Told) -> bool:
        """Whether it is for a recipient and for what they are told."""
        for_all = told.technician and TECHNICIANS in self.to
        return told.kind in self.kinds and (for_all or told.recipient in self.to)

    def address(self, recipient: str) -> str:
        """Its URL for a recipient, whose code may have what means something else in a URL."""
        return self.url.get_secret_value().replace(PLACEHOLDER, quote(recipient, safe=""))


def _is_web(address: str) -> bool:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"https", "http"} and bool(url.host)


class _Loader(yaml.SafeLoader):
    """Takes no name twice: the second channel of a name would silence the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Make a mapping; raises `ChannelsError` for one that has a name twice."""
        names = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in names:
                raise ChannelsError(f"a name stands twice, again in line {key.start_mark.line + 1}")
            names.add(key.value)
        return super().construct_mapping(node, deep)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channels: dict[str, Channel]


def read(file: Path | None) -> dict[str, Channel]:
    """The channels of a file, by name; none without a file. Raises `ChannelsError`."""
    if file is None:
        return {}
    try:
        document = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe one
        return _File.model_validate(document or {}).channels
    except OSError as error:
        raise ChannelsError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ChannelsError(f"{file}: is not UTF-8") from None
    except ChannelsError as error:
        raise ChannelsError(f"{file}: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ChannelsError(f"{file}: is not YAML{where}") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise ChannelsError(f"{file}: {wrong}") from None
