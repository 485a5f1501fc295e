"""What ComfyUI answers, read into values. Pure; every field may be missing or of another kind."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from storyforge_core.domain.answers import one_line
from storyforge_core.errors import BrokenAnswer, StoryForgeError

REASON_CHARS = 200
PREVIEW_WITH_NAME, HEAD = 4, 8
"""The kind of a binary frame, and how many bytes say that and the length of what follows: which picture it is of."""
MISSING_NODE, MISSING_FILE = "missing_node_type", "value_not_in_list"
_WITH_PATHS = frozenset({"exception_during_validation", "exception_during_inner_validation"})
"""These carry a traceback of the server with its file names, which is nobody's business."""
_OUT_OF_MEMORY = ("outofmemory", "out of memory")

Status = Literal["pending", "in_progress", "completed", "failed", "cancelled"]
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A file that a graph made, as the server names it."""

    filename: str
    subfolder: str
    kind: str

    @property
    def address(self) -> Mapping[str, str]:
        """The query by which it is fetched."""
        return {"filename": self.filename, "subfolder": self.subfolder, "type": self.kind}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a graph broke off."""

    node: str
    """Class of the node that did."""
    kind: str
    """The server's exception."""
    message: str

    @property
    def out_of_memory(self) -> bool:
        """The picture was too large for the card."""
        told = f"{self.kind} {self.message}".lower()
        return any(sign in told for sign in _OUT_OF_MEMORY)


@dataclass(frozen=True, slots=True)
class Job:
    """How a picture stands on a server."""

    status: Status
    files: tuple[File, ...] = ()
    """Pictures that it made; those that were meant to be kept come first."""
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a graph."""

    kind: str
    node: str
    """Class of the node."""
    input: str = ""
    value: str = ""


class Rejected(StoryForgeError):
    """A server does not take a graph.

    Attributes:
        complaints: what is wrong with it; none when the server could not make sense of it at all.
    """

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        super().__init__("; ".join(map(_said, complaints)) or "it is not in ComfyUI's API format")
        self.complaints = tuple(complaints)

    @property
    def lacking(self) -> bool:
        """Something is not installed there, rather than wrong."""
        return any(complaint.kind in {MISSING_NODE, MISSING_FILE} for complaint in self.complaints)


def job_of_jobs(answer: Json) -> Job:
    """Read what `/api/jobs/{id}` answers.

    Raises:
        BrokenAnswer: it has no status that we know.
    """
    status = answer.get("status")
    if status not in get_args(Status):
        raise BrokenAnswer("ComfyUI gave a picture a status that nobody knows.")
    error = answer.get("execution_error")
    fault = _fault(error) if isinstance(error, dict) else _fault_of(answer.get("execution_status"))
    return Job(cast("Status", status), tuple(_files(answer.get("outputs"))), fault if status == "failed" else None)


def job_of_history(entry: Json) -> Job:
    """Read an entry of `/history`."""
    status = entry.get("status") or {}
    files = tuple(_files(entry.get("outputs")))
    if status.get("status_str") == "success":
        return Job("completed", files)
    if any(message[0] == "execution_interrupted" for message in status.get("messages", ())):
        return Job("cancelled", files)
    return Job("failed", files, _fault_of(status))


def rejection(answer: Json) -> Rejected:
    """Read why a graph was not taken, whole or in part."""
    found = list(_complaints(answer.get("node_errors") or {}))
    top = answer.get("error")
    if not found and isinstance(top, dict):
        extra = top.get("extra_info") or {}
        found = [Complaint(str(top.get("type", "")), one_line(str(extra.get("class_type", "")), REASON_CHARS))]
    return Rejected(found)


def options_of(described: Json) -> Mapping[str, frozenset[str]]:
    """Read the choices that a node's inputs offer, in the old form and in the new one."""
    inputs = described.get("input") or {}
    found: dict[str, frozenset[str]] = {}
    for group in ("required", "optional"):
        for name, spec in (inputs.get(group) or {}).items():
            if isinstance(spec, list) and spec and (choices := _choices(spec)) is not None:
                found[name] = frozenset(map(str, choices))
    return found


def _choices(spec: Sequence[Any]) -> Sequence[Any] | None:
    if isinstance(spec[0], list):
        return spec[0]
    more = spec[1] if len(spec) > 1 else None
    if spec[0] == "COMBO" and isinstance(more, dict) and isinstance(more.get("options"), list):
        return cast("Sequence[Any]", more["options"])
    return None


def _files(outputs: object) -> Iterator[File]:
    """Pictures among the outputs; videos come as `images` too, and say that they are animated."""
    found = [
        File(str(image["filename"]), str(image.get("subfolder", "")), str(image.get("type", "output")))
        for output in (outputs.values() if isinstance(outputs, dict) else ())
        if isinstance(output, dict) and not any(output.get("animated") or ())
        for image in output.get("images") or ()
        if isinstance(image, dict) and "filename" in image
    ]
    yield from sorted(found, key=lambda file: file.kind != "output")


def _fault_of(status: object) -> Fault | None:
    messages = status.get("messages", ()) if isinstance(status, dict) else ()
    return next((_fault(data) for name, data in messages if name == "execution_error"), None)


def _fault(error: Json) -> Fault:
    words = {name: one_line(str(error.get(name, "")), REASON_CHARS) for name in _FAULT}
    return Fault(words["node_type"], words["exception_type"], words["exception_message"])


_FAULT = ("node_type", "exception_type", "exception_message")


def _complaints(node_errors: Json) -> Iterator[Complaint]:
    for node in node_errors.values():
        for error in node.get("errors") or ():
            kind, extra = str(error.get("type", "")), error.get("extra_info") or {}
            safe = {} if kind in _WITH_PATHS else extra
            yield Complaint(
                kind,
                one_line(str(node.get("class_type", "")), REASON_CHARS),
                one_line(str(safe.get("input_name", "")), REASON_CHARS),
                one_line(str(safe.get("received_value", "")), REASON_CHARS),
            )


def _said(complaint: Complaint) -> str:
    match complaint.kind:
        case "missing_node_type":
            return f"the node {complaint.node} is not installed"
        case "value_not_in_list":
            return f"{complaint.node} does not find {complaint.value} ({complaint.input})"
        case kind:
            place = ".".join(filter(None, (complaint.node, complaint.input)))
            return f"{place or 'the workflow'}: {kind.replace('_', ' ')}"


def preview_of(frame: bytes) -> Mapping[str, Any] | None:
    """Read a preview that says which picture it is of, as an event; None for every other binary frame."""
    kind, length = (int.from_bytes(frame[at : at + 4], "big") for at in (0, 4))
    if kind != PREVIEW_WITH_NAME or length > len(frame) - HEAD:
        return None
    told = json.loads(frame[HEAD : HEAD + length])
    picture = told.get("prompt_id") if isinstance(told, dict) else None
    return {"type": "preview", "data": {"prompt_id": picture, "data": bytes(frame[HEAD + length :])}}
