"""The content of a version between protobuf and the domain.

Lists are copied as `tuple(field[:])`: a slice is taken in one step, where iterating calls into protobuf per element.
"""

from collections.abc import Callable
from typing import Final

from training.program.v1 import program_pb2 as pb
from training.type.v1 import vocabulary_pb2

from chassis.refusal import Violation
from program_svc.adapters.mapping_values import fill_duration, read_decimal, read_duration, read_id
from program_svc.domain.content import AgendaModule, Level, LocalizedContent, Prerequisites, ProgramContent

_LEVELS: Final = {int(level): level for level in Level}
_WIRE_LEVELS: Final = {level: vocabulary_pb2.Level.ValueType(int(level)) for level in Level}


def read_content(message: pb.ProgramContent, path: str, faults: list[Violation]) -> ProgramContent:
    """Read content, noting what is wrong with it under the path."""
    level = _LEVELS.get(message.level)
    if level is None:
        faults.append(Violation(f"{path}.level", "enum.defined", str(message.level), "a level that is defined"))
        level = Level.UNSPECIFIED
    return ProgramContent(
        title=message.title,
        summary=message.summary,
        description=message.description,
        agenda=tuple([_read_module(module, at, path, faults) for at, module in enumerate(message.agenda)]),
        plan=message.plan,
        learning_outcomes=tuple(message.learning_outcomes[:]),
        audience=message.audience,
        prerequisites=_read_prerequisites(message, path, faults),
        categories=tuple(message.categories[:]),
        tags=tuple(message.tags[:]),
        level=level,
        language_code=message.language_code,
        localizations=tuple([_read_localized(localized) for localized in message.localizations]),
        total_duration=(
            read_duration(message.total_duration, f"{path}.total_duration", faults)
            if message.HasField("total_duration")
            else None
        ),
        credits=read_decimal(message.credits, f"{path}.credits", faults) if message.HasField("credits") else None,
        cover_image_uri=message.cover_image_uri,
    )


def _read_module(message: pb.AgendaModule, at: int, path: str, faults: list[Violation]) -> AgendaModule:
    duration = None
    if message.HasField("duration"):
        duration = read_duration(message.duration, f"{path}.agenda[{at}].duration", faults)
    return AgendaModule(message.title, tuple(message.topics[:]), duration)


def _read_prerequisites(message: pb.ProgramContent, path: str, faults: list[Violation]) -> Prerequisites | None:
    if not message.HasField("prerequisites"):
        return None
    given = message.prerequisites
    ids = [
        read_id(text, f"{path}.prerequisites.program_ids[{at}]", faults) for at, text in enumerate(given.program_ids)
    ]
    return Prerequisites(given.text, tuple(ids))


def _read_localized(message: pb.LocalizedContent) -> LocalizedContent:
    return LocalizedContent(
        message.language_code,
        message.title,
        message.summary,
        message.description,
        message.plan,
        tuple(message.learning_outcomes[:]),
        message.audience,
    )


def write_content(content: ProgramContent) -> pb.ProgramContent:
    """Write content as a message of its own."""
    message = pb.ProgramContent()
    fill_content(message, content)
    return message


def fill_content(message: pb.ProgramContent, content: ProgramContent) -> None:
    """Write content into a new message where it stands: handing messages to constructors would copy them each time."""
    message.title = content.title
    message.summary = content.summary
    message.description = content.description
    for module in content.agenda:
        added = message.agenda.add(title=module.title, topics=module.topics)
        if module.duration is not None:
            fill_duration(added.duration, module.duration)
    message.plan = content.plan
    message.learning_outcomes.extend(content.learning_outcomes)
    message.audience = content.audience
    if content.prerequisites is not None:
        _fill_prerequisites(message.prerequisites, content.prerequisites)
    message.categories.extend(content.categories)
    if content.tags:
        message.tags.extend(content.tags)
    message.level = _WIRE_LEVELS[content.level]
    message.language_code = content.language_code
    for localized in content.localizations:
        message.localizations.add(
            language_code=localized.language_code,
            title=localized.title,
            summary=localized.summary,
            description=localized.description,
            plan=localized.plan,
            learning_outcomes=localized.learning_outcomes,
            audience=localized.audience,
        )
    if content.total_duration is not None:
        fill_duration(message.total_duration, content.total_duration)
    if content.credits is not None:
        message.credits.value = f"{content.credits:f}"
    message.cover_image_uri = content.cover_image_uri


FillContent = Callable[[pb.ProgramContent, ProgramContent], None]
"""Writes content into a new message where it stands."""


def filling_once() -> FillContent:
    """Return a `fill_content` that writes each content once and copies it from then on.

    It is for the messages of one revision, in which the same content stands up to three times.
    """
    written: dict[int, tuple[ProgramContent, pb.ProgramContent]] = {}

    def fill(message: pb.ProgramContent, content: ProgramContent) -> None:
        known = written.get(id(content))
        if known is None:
            fill_content(message, content)
            written[id(content)] = (content, message)
        else:
            message.CopyFrom(known[1])

    return fill


def _fill_prerequisites(message: pb.Prerequisites, prerequisites: Prerequisites) -> None:
    message.SetInParent()
    message.text = prerequisites.text
    message.program_ids.extend([str(id_) for id_ in prerequisites.program_ids])
