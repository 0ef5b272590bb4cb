"""A program's entries, one for each language, as bytes that are ready to send."""

from collections.abc import Iterator
from dataclasses import dataclass

from training.catalogue.v1.entries_pb2 import ProgramEntry
from training.program.v1.events_pb2 import PublishedProgram
from training.program.v1.program_pb2 import LocalizedContent, ProgramContent

from catalogue_svc.store.languages import key


@dataclass(frozen=True, slots=True)
class Entry:
    """A program in one language: the card, and what makes it the full entry when appended."""

    language: str
    card: bytes
    detail: bytes


def entries(program: PublishedProgram) -> list[Entry]:
    """Return the entries of a program, the base language's first."""
    content = program.content
    localizations = list(_distinct(content))
    codes = [content.language_code, *(text.language_code for text in localizations)]
    common = ProgramEntry(
        program_id=program.program_id,
        revision=program.revision,
        version=program.version,
        state=program.state,
        available_language_codes=codes,
        categories=content.categories,
        tags=content.tags,
        level=content.level,
        cover_image_uri=content.cover_image_uri,
        successor_program_id=program.successor_program_id,
    )
    if content.HasField("total_duration"):
        common.total_duration.CopyFrom(content.total_duration)
    if content.HasField("credits"):
        common.credits.CopyFrom(content.credits)
    if program.HasField("release_time"):
        common.release_time.CopyFrom(program.release_time)
    if program.HasField("retire_time"):
        common.retire_time.CopyFrom(program.retire_time)
    return [
        Entry(
            key(code),
            _card(common, code, content, text).SerializeToString(),
            _detail(content, text).SerializeToString(),
        )
        for code, text in zip(codes, [None, *localizations], strict=True)
    ]


def _distinct(content: ProgramContent) -> Iterator[LocalizedContent]:
    """Return the texts in other languages, the first of each."""
    seen = {key(content.language_code)}
    for text in content.localizations:
        if key(text.language_code) not in seen:
            seen.add(key(text.language_code))
            yield text


def _card(common: ProgramEntry, code: str, content: ProgramContent, text: LocalizedContent | None) -> ProgramEntry:
    """Return the BASIC entry; an absent text falls back to the base language."""
    common.language_code = code
    common.title = (text and text.title) or content.title
    common.summary = (text and text.summary) or content.summary
    return common


def _detail(content: ProgramContent, text: LocalizedContent | None) -> ProgramEntry:
    """Return what FULL adds to BASIC."""
    detail = ProgramEntry(
        description=(text and text.description) or content.description,
        agenda=content.agenda,
        plan=(text and text.plan) or content.plan,
        learning_outcomes=(text and text.learning_outcomes) or content.learning_outcomes,
        audience=(text and text.audience) or content.audience,
    )
    if content.HasField("prerequisites"):
        detail.prerequisites.CopyFrom(content.prerequisites)
    return detail
