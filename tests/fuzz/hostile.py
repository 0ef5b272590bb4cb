"""Values that break things: texts, numbers, tokens, metadata."""

from base64 import urlsafe_b64encode
from random import Random
from typing import Final
from zlib import crc32

from google.protobuf.descriptor import FieldDescriptor
from training.type.v1.consistency_pb2 import TokenContents

TEXTS: Final = (
    "",
    " ",
    "a",
    "0",
    "\0",
    "a\0b",
    "'; DROP TABLE program; --",
    "%s%n%x{0}{}",
    "../../etc/passwd",
    "\u202eesrever",
    "e\u0301\u0301\u0301",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\ufeff\u200b\u2028",
    "\U0010ffff\ufffe\ud7ff",
    "İıſẞß",
    "NaN",
    "-Infinity",
    "1e999999999",
    "-0",
    "\u0663\u066b\u0661\u0664",
    "0x10",
    "1_000",
    "9" * 400,
    "x" * 1001,
    "é" * 50_001,
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "019a0000-0000-7000-8000-000000000001",
    "{019a0000-0000-7000-8000-000000000001}",
    "en",
    "de-AT-1996-x-private",
    "i-klingon",
    "Europe/Berlin",
    "../Europe/Berlin",
    "posixrules",
    "Etc/GMT+12",
    "2030-02-30T25:61",
    "2030-03-31T02:30",
    "9999-12-31T23:59:59",
    "0001-01-01T00:00",
    "*",
    "title,agenda",
    "plan.length",
    "EUR",
    "eur",
    "XXX",
    "1.5",
    "JPY",
)
_WIDTHS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_SMALL: Final = (0, 1, -1, 2, 7, 12, 28, 31, 59, 60, 100, 366, 500, 501, 2030, 9999, 10_000, 86_400, 999_999_999, 10**9)
_FLOATS: Final = (0.0, -0.0, 1.0, -90.5, 91.0, 1e308, -1e308, 5e-324, float("inf"), float("-inf"), float("nan"))
METADATA: Final = (
    (("training-principal", ""),),
    (("training-principal", ";;;"),),
    (("training-principal", "a;roles="),),
    (("training-principal", "a;roles=king"),),
    (("training-principal", "a;roles=reader;roles=author"),),
    (("training-principal", "x" * 129 + ";roles=author"),),
    (("training-principal", "eve;roles=reader"),),
    (("training-principal", "eve;roles=author"), ("training-principal", "dev;roles=operator")),
    (("training-principal-bin", b"\xff\x00"),),
    (("traceparent", "00-" + "z" * 32 + "-" + "0" * 16 + "-01"), ("tracestate", "=,=,")),
    (("x-request-id", "%00%0a" * 100),),
    (("filler", "y" * 20_000),),
    (("grpc-previous-rpc-attempts", "-1"),),
)


def text(chance: Random, known: list[str]) -> str:
    """Return a text: a hostile one, or one that means something here."""
    roll = chance.random()
    if known and roll < 0.4:
        return chance.choice(known)
    if roll < 0.85:
        return chance.choice(TEXTS)
    return "".join(chr(_scalar(chance)) for _ in range(chance.randint(0, 40)))


def number(chance: Random, kind: int) -> int:
    """Return a number of an integer kind, often an extreme one."""
    low, high = _WIDTHS[kind]
    if chance.random() < 0.6:
        return min(max(chance.choice(_SMALL), low), high)
    return chance.choice((low, low + 1, high, high - 1, chance.randint(low, high)))


def real(chance: Random) -> float:
    """Return a number of a floating kind."""
    return chance.choice(_FLOATS) if chance.random() < 0.7 else chance.uniform(-1e6, 1e6)


def token(chance: Random, real_ones: list[str]) -> str:
    """Return a token: a real one, one that was cut or changed, or one that is well formed and means nothing here."""
    roll = chance.random()
    if real_ones and roll < 0.25:
        return chance.choice(real_ones)
    if real_ones and roll < 0.6:
        given = chance.choice(real_ones)
        at = chance.randrange(len(given))
        return chance.choice(
            (given[:at], given[:at] + "A" + given[at + 1 :], given + given, given[at:] + "é", given + "=")
        )
    return forged(chance) if roll < 0.8 else text(chance, [])


def forged(chance: Random) -> str:
    """Return a consistency token with a right checksum and contents that nobody gave."""
    contents = TokenContents()
    for _ in range(chance.randint(0, 3)):
        source = contents.sources.add(source=chance.choice(("program", "offer", "", "x" * 50)))
        source.epoch = chance.randbytes(chance.choice((16, 16, 16, 0, 15, 17)))
        for _ in range(chance.randint(0, 3)):
            source.lanes.add(lane=chance.choice((0, 15, 16, 2**32 - 1)), seq=chance.choice((0, 1, 2**63, 2**64 - 1)))
    payload = b"\x01" + contents.SerializeToString()
    return urlsafe_b64encode(payload + crc32(payload).to_bytes(4)).rstrip(b"=").decode()


def damaged(chance: Random, data: bytes) -> bytes:
    """Return bytes that may be no message any more."""
    roll = chance.random()
    if roll < 0.2 or not data:
        return chance.randbytes(chance.randint(1, 200))
    if roll < 0.5:
        at = chance.randrange(len(data))
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    if roll < 0.7:
        return data[: chance.randrange(len(data))]
    if roll < 0.85:  # a text that is not UTF-8, in one of the first fields
        return data + bytes([chance.randint(1, 15) << 3 | 2, 3, 0xFF, 0xC0, 0x80])
    return data + b"\x0b" * chance.choice((1, 150))  # groups that open and never close


def _scalar(chance: Random) -> int:
    """Return a code point that is no surrogate."""
    return chance.choice((chance.randrange(0x20), chance.randrange(0x20, 0xD800), chance.randrange(0xE000, 0x110000)))
