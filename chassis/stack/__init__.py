"""The whole platform on one machine: for `make run`, and for tests that hurt it."""

from chassis.stack.services import SERVICES, Listening, Service
from chassis.stack.stack import Stack

__all__ = ["SERVICES", "Listening", "Service", "Stack"]
