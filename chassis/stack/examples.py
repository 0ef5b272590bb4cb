"""Three calls that show the whole line to a reader with nothing prepared: a program, an offer of it, the catalogue.

They work on an empty store and again later: imports whose rows exist with the same content change nothing, and an
offer that can be taken at any time does not go out of date.
"""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

_PROGRAM_ID: Final = "019a0000-0000-7000-8000-00000000b001"
_OFFER_ID: Final = "019a0000-0000-7000-8000-00000000b002"

_PROGRAM: Final = {
    "rowId": "1",
    "programId": _PROGRAM_ID,
    "content": {"title": "Baking with sourdough", "categories": ["Baking"], "languageCode": "en"},
    "waiver": {"rules": ["*"], "reason": "a first try"},
}
_OFFER: Final = {
    "rowId": "1",
    "offerId": _OFFER_ID,
    "definition": {"programId": _PROGRAM_ID, "capacity": {"maximum": 12}, "languageCodes": ["en"]},
    "plan": {"accessWindow": {"startTime": "2026-01-01T00:00:00Z"}},
    "priceList": {"tiers": [{"name": "Standard", "price": {"currencyCode": "EUR", "units": "90"}}]},
}
_QUESTION: Final = {"filter": {"programIds": [_PROGRAM_ID]}, "consistency": {"fullyConsistent": {}}}

CALLS: Final = (
    ("program", "training.program.v1.ProgramService/ImportPrograms", _PROGRAM),
    ("offer", "training.offer.v1.OfferService/ImportOffers", _OFFER),
    ("catalogue", "training.catalogue.v1.CatalogueService/ListOffers", _QUESTION),
)


def grpcurl(project: Path) -> str | None:
    """Return how a shell finds grpcurl: on its path, or where `make tools` builds it; None when it does not."""
    built = project / ".tools" / "bin" / "grpcurl"
    if shutil.which("grpcurl"):
        return "grpcurl"
    return shlex.quote(str(built)) if built.exists() else None


def lines(command: str, address: Callable[[str], str]) -> list[str]:
    """Return the calls as lines for a shell; `address` tells where a service listens."""
    return [
        f"{command} -plaintext -d {shlex.quote(json.dumps(body, separators=(',', ':')))} {address(name)} {method}"
        for name, method, body in CALLS
    ]
