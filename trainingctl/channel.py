"""Channels to the services, and the metadata that name the caller."""

from typing import Final

import grpc.aio

from chassis.principal import PRINCIPAL_KEY

_OPTIONS: Final = (
    # A service that is starting again is found soon, and a connection that died without a word is noticed.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)


def connect(address: str) -> grpc.aio.Channel:
    """Return a channel to a service; nothing is sent before the first call."""
    return grpc.aio.insecure_channel(address, options=_OPTIONS)


def identified(principal: str) -> grpc.aio.Metadata:
    """Return the metadata of a call made by this principal."""
    return grpc.aio.Metadata((PRINCIPAL_KEY, principal))
