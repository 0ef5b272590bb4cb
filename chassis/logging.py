"""Logs: one structured line per event on stderr, with the call it belongs to; never a request's body."""

import logging
import sys
from typing import Final, Literal

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from chassis.call import find_call

_SHARED: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def add_call(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say which call an event belongs to."""
    call = find_call()
    if call is not None:
        event.setdefault("method", call.method)
        event.setdefault("principal", call.principal.name)
        event.setdefault("correlation_id", call.correlation_id)
    return event


def configure_logging(service: str, *, level: str, form: Literal["json", "console"]) -> None:
    """Send the logs of this process, the libraries' included, to stderr as JSON or for people's eyes."""

    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    common: list[Processor] = [*_SHARED, add_call, add_service]
    threshold = logging.getLevelNamesMapping()[level.upper()]
    # Neither form shows a traceback's local variables: requests are among them.
    tracebacks = structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    endings: list[Processor] = [tracebacks, structlog.processors.JSONRenderer()] if form == "json" else [console]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *endings],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        cache_logger_on_first_use=False,
    )
