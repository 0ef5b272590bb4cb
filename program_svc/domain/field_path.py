"""Paths to the fields of a content, as comments name them: `title`, `agenda[1].title`, `localizations[de].plan`."""

import re
from dataclasses import fields, is_dataclass
from typing import Final

from program_svc.domain.content import LocalizedContent, Prerequisites, ProgramContent

_PATH: Final = re.compile(r"[a-z_]+(?:\[[A-Za-z0-9-]{1,50}\])?(?:\.[a-z_]+(?:\[[A-Za-z0-9-]{1,50}\])?)*", re.ASCII)
_STEP: Final = re.compile(r"([a-z_]+)(?:\[([A-Za-z0-9-]+)\])?", re.ASCII)


def has_field(content: ProgramContent, path: str) -> bool:
    """Tell whether the content has the field, empty or not; an item of a list must be there.

    Items are named by their position, localized texts by their language too.
    """
    if _PATH.fullmatch(path) is None:
        return False
    reached: object = content
    for name, index in _STEP.findall(path):
        if not is_dataclass(reached) or name not in {field.name for field in fields(reached)}:
            return False
        reached = getattr(reached, name)
        if reached is None and name == "prerequisites":
            reached = Prerequisites()
        if index:
            reached = _item(reached, index)
            if reached is None:
                return False
    return True


def _item(items: object, index: str) -> object:
    """Return an item of a list; None where there is no such one, and what is no list has none."""
    if not isinstance(items, tuple):
        return None
    if index.isdecimal():
        return items[int(index)] if int(index) < len(items) else None
    named = (item for item in items if isinstance(item, LocalizedContent))
    return next((item for item in named if item.language_code.lower() == index.lower()), None)
