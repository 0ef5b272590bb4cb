"""Texts that can't be kept: PostgreSQL has no NUL character, so no request may carry one."""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import Message

NUL = "\0"


def texts_with_nul(message: Message) -> tuple[str, ...]:
    """Return the paths of the string fields that contain a NUL.

    Nearly every message is told by its bytes to have none: a NUL in a text is a zero byte, which is rare elsewhere.
    """
    return tuple(_search(message, "")) if b"\0" in message.SerializeToString() else ()


def _search(message: Message, prefix: str) -> Iterator[str]:
    for field, value in message.ListFields():
        path = f"{prefix}.{field.name}" if prefix else field.name
        for where, each in _elements(value, path):
            if isinstance(each, Message):
                yield from _search(each, where)
            elif isinstance(each, str) and NUL in each:
                yield where


def _elements(value: Any, path: str) -> Iterable[tuple[str, Any]]:  # noqa: ANN401 - whatever a field holds
    """Return the values that a field holds, each with its path; a map's keys are texts too."""
    if isinstance(value, str | bytes | Message) or not hasattr(value, "__len__"):
        return ((path, value),)
    if hasattr(value, "items"):
        return ((f'{path}["{key}"]', part) for key, item in value.items() for part in (key, item))
    return ((f"{path}[{index}]", item) for index, item in enumerate(value))
