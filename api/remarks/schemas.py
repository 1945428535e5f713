"""Comments, work notes and attachments on the wire."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.instants import GivenInstant, Instant

_REMARK: dict[str, Any] = {
    "id": 7,
    "kind": "work_note",
    "text": "Rollers were smooth, cleaned the transport as well.",
    "author": "tech01",
    "device_at": "2026-11-23T08:31:00Z",
    "at": "2026-11-23T08:40:12.4Z",
}


class RemarkKind(StrEnum):
    """What a remark is: said to whoever reads the ticket, or noted about the work."""

    COMMENT = "comment"
    WORK_NOTE = "work_note"


class Remark(BaseModel):
    """A comment or a work note."""

    model_config = ConfigDict(json_schema_extra={"example": _REMARK})

    id: int
    kind: RemarkKind
    text: str
    author: str
    device_at: Instant | None
    at: Instant


class NewRemark(BaseModel):
    """A remark to be added; it is never changed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "comment", "text": "The branch opens at nine"}]},
    )

    kind: RemarkKind = RemarkKind.COMMENT
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
    device_at: GivenInstant | None = Field(
        default=None, description="When it was written, by the clock of your device"
    )


class Attachment(BaseModel):
    """A file of a ticket, without its content."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 3,
                "name": "rollers.jpg",
                "media_type": "image/jpeg",
                "size": 184_213,
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "author": "tech01",
                "at": "2026-11-23T08:41:00.4Z",
            }
        }
    )

    id: int
    name: str
    media_type: str
    size: int = Field(description="Bytes")
    sha256: str
    author: str
    at: Instant
