"""Sessions, and what they have in common, between messages and the domain."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import overload

from google.type.latlng_pb2 import LatLng
from google.type.postal_address_pb2 import PostalAddress as PostalAddressMessage
from training.offer.v1 import offer_pb2 as pb
from training.type.v1.vocabulary_pb2 import DeliveryMode as DeliveryModeNumber
from typing_extensions import override

from offer_svc.adapters.mapping_values import Faults, enum_from, instant_from, instant_message, local_time_from
from offer_svc.domain.schedule import DeliveryMode, Place, Position, PostalAddress, Session, SessionTraits

_HALF_TURN = 180.0
_QUARTER_TURN = 90.0


class StoredSessions(Sequence[Session]):
    """The sessions of a stored schedule, read when somebody looks at them.

    A schedule can have hundreds, and most commands change something else: then they go from message to message as they
    are. The messages must not be changed. What was looked at is kept: every booking asks for the first and the last.
    """

    __slots__ = ("_sessions", "_single", "messages")

    def __init__(self, messages: Sequence[pb.Session]) -> None:
        self.messages = messages
        self._sessions: tuple[Session, ...] | None = None
        self._single: dict[int, Session] = {}

    @overload
    def __getitem__(self, index: int) -> Session: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Session]: ...

    @override
    def __getitem__(self, index: int | slice) -> Session | Sequence[Session]:
        if self._sessions is None and isinstance(index, int):
            if index not in self._single:
                self._single[index] = _session_from(self.messages[index])
            return self._single[index]
        return self._all()[index]

    @override
    def __len__(self) -> int:
        return len(self.messages)

    @override
    def __iter__(self) -> Iterator[Session]:
        return iter(self._all())

    @override
    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredSessions):
            return self.messages == other.messages
        return self._all() == other

    @override
    def __hash__(self) -> int:
        return hash(self._all())

    @override
    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> tuple[Session, ...]:
        if self._sessions is None:
            self._sessions = tuple(map(_session_from, self.messages))
        return self._sessions


def _session_from(message: pb.Session) -> Session:
    faults = Faults()
    session = Session(
        start_time=instant_from(message.start_time, "start_time", faults),
        end_time=instant_from(message.end_time, "end_time", faults),
        local_start=local_time_from(message.local_start, "local_start", faults),
        local_end=local_time_from(message.local_end, "local_end", faults),
        time_zone=message.time_zone,
        traits=traits_from(message, "traits", faults),
    )
    faults.refuse()
    return session


def session_message(session: Session, *, public: bool) -> pb.Session:
    """Write a session; the public one has no join URI."""
    traits = session.traits
    return pb.Session(
        start_time=instant_message(session.start_time),
        end_time=instant_message(session.end_time),
        time_zone=session.time_zone,
        local_start=session.local_start.isoformat(),
        local_end=session.local_end.isoformat(),
        mode=DeliveryModeNumber.ValueType(traits.mode),
        place=None if traits.place is None else _place_message(traits.place),
        join_uri="" if public else traits.join_uri,
        trainer_ids=traits.trainer_ids,
    )


def traits_from(message: pb.SessionTraits | pb.Session, path: str, faults: Faults) -> SessionTraits:
    """Read how and where a session is held."""
    return SessionTraits(
        mode=enum_from(DeliveryMode, message.mode, f"{path}.mode", faults, DeliveryMode.ONLINE),
        place=_place_from(message.place, f"{path}.place", faults) if message.HasField("place") else None,
        join_uri=message.join_uri,
        trainer_ids=tuple(message.trainer_ids),
    )


def planned_traits(message: pb.SessionTraits, path: str, faults: Faults) -> SessionTraits:
    """Read what a caller plans; space around a trainer's id is not part of it."""
    stripped = [trainer_id.strip() for trainer_id in message.trainer_ids]
    for index, trainer_id in enumerate(stripped):
        if not trainer_id:
            faults.note(f"{path}.trainer_ids[{index}]", "trainer_id", "blank", "an id")
    return replace(traits_from(message, path, faults), trainer_ids=tuple(dict.fromkeys(stripped)))


def _place_from(message: pb.Place, path: str, faults: Faults) -> Place:
    return Place(
        venue=message.venue,
        room=message.room,
        address=_address_from(message.address) if message.HasField("address") else None,
        position=(
            _position_from(message.position, f"{path}.position", faults) if message.HasField("position") else None
        ),
    )


def _place_message(place: Place) -> pb.Place:
    position = place.position
    return pb.Place(
        venue=place.venue,
        room=place.room,
        address=None if place.address is None else _address_message(place.address),
        position=None if position is None else LatLng(latitude=position.latitude, longitude=position.longitude),
    )


def _position_from(message: LatLng, path: str, faults: Faults) -> Position:
    latitude, longitude = message.latitude, message.longitude
    # NaN fails every comparison.
    if not (-_QUARTER_TURN <= latitude <= _QUARTER_TURN and -_HALF_TURN <= longitude <= _HALF_TURN):
        faults.note(path, "position", f"{latitude}, {longitude}", "a latitude within 90 and a longitude within 180")
        return Position(0.0, 0.0)
    return Position(latitude, longitude)


def _address_from(message: PostalAddressMessage) -> PostalAddress:
    return PostalAddress(
        region_code=message.region_code,
        language_code=message.language_code,
        postal_code=message.postal_code,
        sorting_code=message.sorting_code,
        administrative_area=message.administrative_area,
        locality=message.locality,
        sublocality=message.sublocality,
        address_lines=tuple(message.address_lines),
        recipients=tuple(message.recipients),
        organization=message.organization,
    )


def _address_message(address: PostalAddress) -> PostalAddressMessage:
    return PostalAddressMessage(
        region_code=address.region_code,
        language_code=address.language_code,
        postal_code=address.postal_code,
        sorting_code=address.sorting_code,
        administrative_area=address.administrative_area,
        locality=address.locality,
        sublocality=address.sublocality,
        address_lines=address.address_lines,
        recipients=address.recipients,
        organization=address.organization,
    )
