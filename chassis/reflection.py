"""Server reflection, v1 and v1alpha: how grpcurl and its like learn what a server serves."""

from collections.abc import AsyncIterable, Iterable
from contextlib import aclosing
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2

SERVICES: Final = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
_METHOD: Final = "ServerReflectionInfo"
_V1_FILE: Final = "grpc/reflection/v1/reflection.proto"

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only


class _Pool:
    """The default pool, which also finds the file of a service's method or a message's field, as clients ask for it."""

    def __init__(self) -> None:
        self._pool = descriptor_pool.Default()
        _describe_v1(self._pool)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the pool's own
        """Be the pool in all else."""
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802 - the name that the library calls
        """Return the file that declares a symbol; raise KeyError if none does."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            parent, _, member = symbol.rpartition(".")
            file = self._pool.FindFileContainingSymbol(parent)
            if member in self._members(parent):
                return file
            raise

    def _members(self, parent: str) -> Iterable[str]:
        """Return the names of a service's methods or a message's fields."""
        try:
            return self._pool.FindServiceByName(parent).methods_by_name.keys()
        except KeyError:
            return self._pool.FindMessageTypeByName(parent).fields_by_name.keys()


class Reflection(reflection.aio.ReflectionServicer):
    """The library's answers, written as a coroutine: a cancelled call would leave its generator open."""

    def __init__(self, service_names: Iterable[str]) -> None:
        super().__init__(service_names, pool=_Pool())

    async def ServerReflectionInfo(  # type: ignore[override]  # noqa: N802 - the name of the RPC; streams are coroutines here
        self, request_iterator: AsyncIterable[reflection_pb2.ServerReflectionRequest], context: _Context
    ) -> None:
        """Answer every question of the stream."""
        generated: Any = super().ServerReflectionInfo(request_iterator, context)  # an async generator, typed otherwise
        async with aclosing(generated) as answers:
            async for answer in answers:
                await context.write(answer)


def add_reflection(service_names: Iterable[str], server: grpc.aio.Server) -> None:
    """Serve both versions of reflection, which differ in nothing but their names."""
    answers = Reflection({*service_names, *SERVICES})
    handler = grpc.stream_stream_rpc_method_handler(
        answers.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    for service in SERVICES:
        server.add_registered_method_handlers(service, {_METHOD: handler})


def _describe_v1(pool: descriptor_pool.DescriptorPool) -> None:
    """Put the description of v1 into the pool: v1alpha's under the other name."""
    described = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(described)
    described.name = _V1_FILE
    described.package = "grpc.reflection.v1"
    for method in described.service[0].method:
        method.input_type = method.input_type.replace("v1alpha", "v1")
        method.output_type = method.output_type.replace("v1alpha", "v1")
    for message in described.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace("v1alpha", "v1")
    pool.AddSerializedFile(described.SerializeToString())
