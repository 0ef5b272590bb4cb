"""The floor of a cached read: prepared bytes, returned."""

from collections.abc import Mapping
from typing import Any

from bench.floors.serving import Answer, serve


async def _make(given: Mapping[str, Any]) -> Answer:
    prepared = bytes(given["bytes"])

    async def answer(request: bytes, context: object) -> bytes:
        del request, context
        return prepared

    return answer


if __name__ == "__main__":
    serve(_make)
