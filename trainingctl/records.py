"""Messages as JSON: every field is there, also one that is zero or empty, so that scripts need not guess."""

import json

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


def record(message: Message) -> dict[str, object]:
    """Return a message as an object; fields keep the names that the protos have, 64-bit numbers are strings."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def put(value: object) -> None:
    """Print one object on a line of its own, at once."""
    typer.echo(json.dumps(value, ensure_ascii=False))
