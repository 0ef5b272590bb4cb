"""The sample catalogue that comes with the package, as files that can be imported."""

import json
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

from trainingctl.season import offer_row, season_of

_SAMPLE: Final = files("trainingctl") / "sample"


def programs() -> str:
    """Return the programs, one request of ImportPrograms a line."""
    return (_SAMPLE / "programs.jsonl").read_text("utf-8")


def offers(today: date) -> str:
    """Return the offers of the season of a day, one request of ImportOffers a line."""
    season = season_of(today)
    rows = (json.loads(line) for line in (_SAMPLE / "offers.jsonl").read_text("utf-8").splitlines())
    return "".join(json.dumps(offer_row(row, season), ensure_ascii=False) + "\n" for row in rows)


def write(folder: Path, today: date) -> tuple[Path, Path]:
    """Write both files and return their paths, programs first."""
    paths = folder / "programs.jsonl", folder / "offers.jsonl"
    for path, text in zip(paths, (programs(), offers(today)), strict=True):
        path.write_text(text, "utf-8")
    return paths
