"""What a version of a program says, as plain values."""

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Final
from uuid import UUID


class Level(IntEnum):
    """How demanding a training is."""

    UNSPECIFIED = 0
    INTRODUCTORY = 1
    INTERMEDIATE = 2
    ADVANCED = 3
    EXPERT = 4


@dataclass(frozen=True, slots=True)
class AgendaModule:
    """One module of the agenda; the duration is None when it was not given."""

    title: str = ""
    topics: tuple[str, ...] = ()
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """What participants need beforehand, in words and as programs to have completed."""

    text: str = ""
    program_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalizedContent:
    """The texts in another language; an empty one falls back to the base language."""

    language_code: str
    title: str = ""
    summary: str = ""
    description: str = ""
    plan: str = ""
    learning_outcomes: tuple[str, ...] = ()
    audience: str = ""


@dataclass(frozen=True, slots=True)
class ProgramContent:
    """Everything a version says, its texts exactly as they were given; a draft may lack any of it."""

    title: str = ""
    summary: str = ""
    description: str = ""
    agenda: tuple[AgendaModule, ...] = ()
    plan: str = ""
    learning_outcomes: tuple[str, ...] = ()
    audience: str = ""
    prerequisites: Prerequisites | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    level: Level = Level.UNSPECIFIED
    language_code: str = ""
    localizations: tuple[LocalizedContent, ...] = ()
    total_duration: timedelta | None = None
    credits: Decimal | None = None
    cover_image_uri: str = ""


CONTENT_FIELDS: Final = tuple(field.name for field in fields(ProgramContent))
"""The names of the content's fields, in the order in which changes list them."""


def changed_fields(before: ProgramContent, after: ProgramContent) -> tuple[str, ...]:
    """Return the names of the fields in which two contents say something else, in the order of the content.

    Prerequisites that say nothing are none, and localized texts have no order.
    """
    old, new = _plain(before), _plain(after)
    return tuple(name for name in CONTENT_FIELDS if getattr(old, name) != getattr(new, name))


def _plain(content: ProgramContent) -> ProgramContent:
    """Return the content in the one form that what it says can have."""
    if content.prerequisites == Prerequisites():
        content = replace(content, prerequisites=None)
    if len(content.localizations) > 1:
        ordered = sorted(content.localizations, key=lambda localized: localized.language_code)
        content = replace(content, localizations=tuple(ordered))
    return content
