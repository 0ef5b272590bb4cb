"""Every RPC that the services serve, found in the generated modules: a new one is fuzzed without being named here."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import grpc.aio
import training
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2

_ENDLESS: Final = frozenset({"WatchStatus"})
_UPHEAVALS: Final = {"AuditCatalogue": 1, "RebuildCatalogue": 2, "BeginEpoch": 3}


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC of one service process."""

    process: str
    path: str
    descriptor: MethodDescriptor

    @property
    def name(self) -> str:
        """A name that tells where it is served."""
        return f"{self.process}: {self.path.rpartition('.')[2]}"

    @property
    def request(self) -> type[Message]:
        """The class of its requests."""
        return GetMessageClass(self.descriptor.input_type)

    @property
    def response(self) -> type[Message]:
        """The class of its responses."""
        return GetMessageClass(self.descriptor.output_type)

    @property
    def endless(self) -> bool:
        """Whether its stream goes on until its client has enough."""
        return self.descriptor.name in _ENDLESS

    @property
    def upheaval(self) -> int:
        """How much it turns over what others are asked about: such are made last, the greatest at the end."""
        return _UPHEAVALS.get(self.descriptor.name, 0)

    def on(self, channel: grpc.aio.Channel) -> Any:  # noqa: ANN401 - one of four kinds of callable
        """Return the callable that sends bytes and reads messages."""
        sent = "stream" if self.descriptor.client_streaming else "unary"
        answered = "stream" if self.descriptor.server_streaming else "unary"
        make = getattr(channel, f"{sent}_{answered}")
        return make(self.path, request_serializer=bytes, response_deserializer=self.response.FromString)


def declared() -> Iterator[MethodDescriptor]:
    """Return the RPCs of all generated modules."""
    for found in pkgutil.walk_packages(training.__path__, "training."):
        if found.name.endswith("_service_pb2"):
            for service in importlib.import_module(found.name).DESCRIPTOR.services_by_name.values():
                yield from service.methods


async def served(process: str, channel: grpc.aio.Channel) -> list[Method]:
    """Return the declared RPCs that a process serves, as its reflection tells."""
    ask = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    question = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = [answer async for answer in ask(iter([question]), timeout=10)]
    names = {service.name for answer in answers for service in answer.list_services_response.service}
    return [
        Method(process, f"/{each.containing_service.full_name}/{each.name}", each)
        for each in declared()
        if each.containing_service.full_name in names
    ]
