"""Rows for tests of imports."""

import json
from uuid import NAMESPACE_URL, uuid5

from training.program.v1.program_service_pb2 import ImportProgramsRequest

from trainingctl.refused import Origin
from trainingctl.rows import Row

_TEXT = (
    "People learn best when they see why a thing matters, try it out under kind eyes, and talk about what happened. "
    "This course does exactly that, three times over, with growing freedom and with problems from daily work. "
)


def program(name: str, **changes: object) -> dict[str, object]:
    """Return a row of ImportPrograms that passes the release gate, as JSON."""
    content: dict[str, object] = {
        "title": f"Course {name}",
        "summary": "A short course.",
        "description": _TEXT,
        "agenda": [{"title": "Begin", "duration": "3600s"}, {"title": "Go on", "duration": "7200s"}],
        "plan": f"1. First we look at an example.\n2. Then we try it in pairs.\n3. Finally we compare. {_TEXT}{_TEXT}",
        "learning_outcomes": ["Explain why it matters"],
        "categories": ["testing"],
        "level": "LEVEL_INTRODUCTORY",
        "language_code": "en",
        "total_duration": "10800s",
    }
    return {"row_id": name, "program_id": str(uuid5(NAMESPACE_URL, name)), "content": content | changes}


def lines(*rows: dict[str, object]) -> str:
    """Return rows as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def row(row_id: str, line: int = 1) -> Row:
    """Return a row that was read from some file."""
    return Row(Origin("rows.jsonl", line), ImportProgramsRequest(row_id=row_id), f"key of {row_id} {line}")
