"""What stands in the rows of programs and reviewers beside their state, for the views and the timekeeper."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from program_svc.domain.due import next_due
from program_svc.domain.program import Program, Version
from program_svc.domain.reviewer import Reviewer

LONGEST_WORD: Final = 200
"""How many characters of a word are looked at; it is also as long as a text to look for can be."""

_WORD: Final = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text, in lower case and composed, of nothing but letters and digits."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(unicodedata.normalize("NFC", text).casefold())]


def program_columns(program: Program) -> dict[str, object]:
    """Return the columns of a program, without its state."""
    versions = [version for version in (program.live, program.working) if version is not None]
    working = program.working
    waiting_since = None if working is None else working.waiting_since
    return {
        "status": int(program.state),
        "working_status": None if working is None else int(working.state),
        "authors": [program.author, *program.co_authors],
        "titles": " ".join(words_of(" ".join(_titles(versions)))),
        "categories": list(dict.fromkeys(category for version in versions for category in version.content.categories)),
        "updated_at": program.update_time,
        "due_at": next_due(program),
        "waiting_since": waiting_since,
        "barred": None if working is None or waiting_since is None else sorted(_barred(program, working)),
    }


def reviewer_columns(reviewer: Reviewer) -> dict[str, object]:
    """Return the columns of a reviewer, without the state."""
    return {
        "name": reviewer.principal,
        "status": int(reviewer.state),
        "categories": list(reviewer.categories),
        "max_open_reviews": reviewer.max_open_reviews,
        "registered_at": reviewer.register_time,
    }


def _titles(versions: Iterable[Version]) -> Iterator[str]:
    for version in versions:
        yield version.content.title
        for localized in version.content.localizations:
            yield localized.title


def _barred(program: Program, version: Version) -> set[str]:
    approvers = {approval.reviewer for approval in version.approvals}
    return {program.author, *program.co_authors, *program.assigned, *approvers}
