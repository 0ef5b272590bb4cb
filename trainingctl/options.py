"""The options that commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

ProgramAddress: TypeAlias = Annotated[
    str, typer.Option("--program-address", envvar="PROGRAM_GRPC_ADDRESS", help="Where the program service listens.")
]
OfferAddress: TypeAlias = Annotated[
    str, typer.Option("--offer-address", envvar="OFFER_GRPC_ADDRESS", help="Where the offer service listens.")
]
CatalogueAddress: TypeAlias = Annotated[
    str, typer.Option("--catalogue-address", envvar="CATALOGUE_GRPC_ADDRESS", help="Where the catalogue listens.")
]
PROGRAM_ADDRESS: Final = "127.0.0.1:50051"
OFFER_ADDRESS: Final = "127.0.0.1:50052"
CATALOGUE_ADDRESS: Final = "127.0.0.1:50053"

Principal: TypeAlias = Annotated[
    str, typer.Option(envvar="TRAININGCTL_PRINCIPAL", help="In whose name: `name;roles=role,role`.")
]
IMPORTER: Final = "importer;roles=publisher,offer_manager"
OPERATOR: Final = "operator;roles=operator"

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
AsJsonLines: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON Lines instead of text: every message as it comes, then a summary.")
]


class Source(StrEnum):
    """A command service, as the source of events."""

    PROGRAM = "program"
    OFFER = "offer"


OneSource: TypeAlias = Annotated[Source, typer.Option("--source", help="Which command service.")]
SomeSources: TypeAlias = Annotated[
    list[Source] | None, typer.Option("--source", help="Only this source; may be given again.")
]
OfSource: TypeAlias = Annotated[Source | None, typer.Option("--source", help="Only this source.")]
AtOffer: TypeAlias = Annotated[
    bool, typer.Option("--offer", help="Of the offer service, which has a copy of programs, not of the catalogue.")
]
Cause: TypeAlias = Annotated[str, typer.Option("--cause", metavar="TEXT", help="Why, for those who look later.")]

Files: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE…", help="JSON Lines, one request in proto3 JSON a line; gzip too; `-` is standard input."
    ),
]
ReportFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write every refused row there, as JSON Lines.", dir_okay=False),
]
StateFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="FILE",
        help="Remember there which rows are done, and leave out those that it knows.",
        dir_okay=False,
    ),
]
Resume: TypeAlias = Annotated[
    bool, typer.Option("--resume", help="Go on where an earlier run stopped: as `--state` with `<first file>.state`.")
]
ValidateOnly: TypeAlias = Annotated[bool, typer.Option("--validate-only", help="Check every row, import none.")]
InFlight: TypeAlias = Annotated[
    int, typer.Option(min=1, max=64, help="How many rows may be sent and not yet answered.")
]
RetryFor: TypeAlias = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="How long to try again while nothing gets on.")
]
MinTokens: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--min-token", metavar="TOKEN", help="What the offer service must have seen first; may be given again."
    ),
]
