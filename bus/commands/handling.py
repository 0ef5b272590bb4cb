"""What a service gives the command path, and what it gets back: calls, decisions, revisions, outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from chassis.postgres import Connection

State = TypeVar("State")
Command = TypeVar("Command")
Command_contra = TypeVar("Command_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class CommandCall:
    """Who calls, and what the envelope of the request says. `fingerprint` stands for the request's body."""

    principal: str
    method: str
    traceparent: str
    request_id: UUID | None = None
    fingerprint: bytes = b""
    etag: str = ""
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class Revision:
    """What one accepted command writes, encoded. `columns` and `effects` are parameters of the commit statement.

    Without `effects` the statement does not touch the service's own rows beside the aggregate. `subject` is the person
    whom the stored response is about, so that it can be found when that person is to be forgotten.

    A revision that `adds_content` is held to the size that an event may have. One that does not, since it only counts,
    ends or releases something, may be a little larger, so that what has grown to the limit can still be ended.
    """

    columns: Mapping[str, object]
    event_type: str
    public: bytes
    private: bytes
    response: bytes
    effects: Mapping[str, object] | None = None
    guarded: bool = False
    subject: str = ""
    adds_content: bool = True


@dataclass(frozen=True, slots=True)
class Accepted(Generic[State]):
    """A decision to write: the next revision's number, everything encoded, and the state after it."""

    number: int
    revision: Revision
    state: State


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A decision that there is nothing to do; the response shows the present state, `subject` is as a revision's."""

    response: bytes
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: the response without its token, and the token (empty for a dry run).

    `changed` tells whether there was anything to do; what a repeated request found the first time is not remembered,
    and counts as a change.
    """

    response: bytes
    token: str
    changed: bool = True


class Handler(Protocol[State, Command_contra]):
    """How a service loads one kind of aggregate and decides commands on it.

    Several commands may be decided on one loaded state, each on the state that the one before it made.
    """

    async def load(
        self, connection: Connection, aggregate_id: UUID, stored: bytes | None, commands: Sequence[Command_contra]
    ) -> State | None:
        """Return the aggregate with what these commands need of the service's other rows; None if there is none.

        One statement at most: everything read here is read for the whole batch.
        """
        ...

    def etag(self, state: State) -> str:
        """Return the etag of the aggregate's definition."""
        ...

    async def decide(
        self, state: State | None, command: Command_contra, call: CommandCall, now: datetime, connection: Connection
    ) -> Accepted[State] | Unchanged:
        """Decide on a state at a time (of the database); raises a Refusal. It may read on the connection given."""
        ...

    def merge(self, effects: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """Return the net effects of several revisions of one aggregate, in order."""
        ...
