"""What differs between the contents of two versions, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

from program_svc.domain.content import AgendaModule, Level, LocalizedContent, Prerequisites, ProgramContent

_Value: TypeAlias = "str | Mapping[str, _Value] | None"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which two contents differ, with its value in each as text; None where it has none."""

    path: str
    before: str | None
    after: str | None


def compare(before: ProgramContent, after: ProgramContent) -> tuple[Difference, ...]:
    """Return every difference, in the order of the content.

    Items of lists are told by position, localized texts by language; a field that is empty has no value.
    """
    return tuple(_differences("", _content(before), _content(after)))


def _differences(path: str, before: _Value, after: _Value) -> Iterator[Difference]:
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        old, new = (value if isinstance(value, Mapping) else {} for value in (before, after))
        for key in (*old, *(key for key in new if key not in old)):
            yield from _differences(path + key, old.get(key), new.get(key))
    elif before != after:
        yield Difference(path, before, after)


def _content(content: ProgramContent) -> _Value:
    return {
        "title": content.title or None,
        "summary": content.summary or None,
        "description": content.description or None,
        "agenda": _items(tuple(_module(module) for module in content.agenda)),
        "plan": content.plan or None,
        "learning_outcomes": _items(content.learning_outcomes),
        "audience": content.audience or None,
        "prerequisites": None if content.prerequisites is None else _prerequisites(content.prerequisites),
        "categories": _items(content.categories),
        "tags": _items(content.tags),
        "level": None if content.level is Level.UNSPECIFIED else content.level.name,
        "language_code": content.language_code or None,
        "localizations": {f"[{given.language_code}]": _localized(given) for given in content.localizations},
        "total_duration": _duration(content.total_duration),
        "credits": _decimal(content.credits),
        "cover_image_uri": content.cover_image_uri or None,
    }


def _items(values: tuple[_Value, ...]) -> _Value:
    return {f"[{at}]": value for at, value in enumerate(values)}


def _module(module: AgendaModule) -> _Value:
    """Return a module; its title is a value even when it is empty, or an empty module would be none."""
    return {".title": module.title, ".topics": _items(module.topics), ".duration": _duration(module.duration)}


def _prerequisites(needed: Prerequisites) -> _Value:
    return {".text": needed.text or None, ".program_ids": _items(tuple(str(id_) for id_ in needed.program_ids))}


def _localized(texts: LocalizedContent) -> _Value:
    return {
        ".language_code": texts.language_code,
        ".title": texts.title or None,
        ".summary": texts.summary or None,
        ".description": texts.description or None,
        ".plan": texts.plan or None,
        ".learning_outcomes": _items(texts.learning_outcomes),
        ".audience": texts.audience or None,
    }


def _duration(duration: timedelta | None) -> str | None:
    if duration is None:
        return None
    microseconds = duration // timedelta(microseconds=1)
    return f"{_decimal(Decimal(microseconds).scaleb(-6))}s"


def _decimal(number: Decimal | None) -> str | None:
    if number is None:
        return None
    text = f"{abs(number) if number.is_zero() else number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
