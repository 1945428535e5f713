"""Files as they are taken: of few types, and really of the type that they say."""

import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from api.errors import Invalid

LARGEST = 5 * 1024 * 1024
_WEBP = slice(8, 12)
# How each type begins: a name or a header alone would let anything in.
BEGINNINGS = MappingProxyType(
    {
        "image/jpeg": b"\xff\xd8\xff",
        "image/png": b"\x89PNG\r\n\x1a\n",
        "image/webp": b"RIFF",
        "application/pdf": b"%PDF-",
    }
)


@dataclass(frozen=True, slots=True)
class File:
    """A file with its content."""

    name: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def disposition(self) -> str:
        """For the header: to be saved, never shown in our name."""
        return f"attachment; filename*=UTF-8''{quote(self.name, safe='')}"


def taken(name: str, content_type: str | None, content: bytes) -> File:
    """A file that was sent; raises `Invalid` when it is not of a type that is taken."""
    media_type = (content_type or "").split(";")[0].strip().lower()
    if media_type not in BEGINNINGS:
        raise Invalid("header.Content-Type", f"must be one of {', '.join(BEGINNINGS)}")
    begins = content.startswith(BEGINNINGS[media_type])
    if not begins or (media_type == "image/webp" and content[_WEBP] != b"WEBP"):
        raise Invalid("body", f"is not of the type {media_type}")
    return File(name, media_type, content)
