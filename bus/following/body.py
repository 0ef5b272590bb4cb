"""Reading the body of an event: what it says of itself must be what its headers say."""

from typing import Final, Protocol, TypeVar

from google.protobuf.message import DecodeError, Message

from bus.event import Event
from bus.following.projection import Undecodable

_NOTHING_PUBLIC: Final = ".Advanced"
"""The neutral type of a revision that changed nothing public; its body is empty."""

Body = TypeVar("Body", bound=Message)


class Published(Protocol):
    """The public state of an aggregate."""

    @property
    def revision(self) -> int:
        """The revision that published it."""
        ...


def is_empty(event: Event) -> bool:
    """Tell whether the event carries no state by its type."""
    return event.type.endswith(_NOTHING_PUBLIC)


def decode(kind: type[Body], event: Event) -> Body:
    """Return the event's body. Raises Undecodable."""
    try:
        return kind.FromString(event.body)
    except DecodeError as error:
        raise Undecodable(f"the body is no {kind.DESCRIPTOR.name}") from error


def agree(event: Event, aggregate_id: str, published: Published) -> None:
    """Raise Undecodable unless the state is that of the headers."""
    if aggregate_id.lower() != str(event.aggregate_id):
        raise Undecodable(f"the headers name {event.aggregate_id}, the state another id")
    if published.revision != event.revision:
        raise Undecodable(f"the headers name revision {event.revision}, the state {published.revision}")
