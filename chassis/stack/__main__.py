"""`python -m chassis.stack`."""

import argparse
import asyncio
import sys

from chassis.process import run as run_process
from chassis.stack.running import run


def main() -> int:
    """Read the command line and run the stack; the exit status is that of every process of the project."""
    parser = argparse.ArgumentParser(
        prog="python -m chassis.stack",
        description="Run PostgreSQL, NATS and the three services on loopback. Data is kept in .data/, or in the folder "
        "that TRAINING_DATA_DIR names; the services' variables (PROGRAM_GRPC_ADDRESS, ...) change where they listen.",
    )
    parser.add_argument("--with-parent", action="store_true", help="stop when the process that started this one ends")
    parser.add_argument(
        "--then",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="COMMAND",
        help="run this command, and all that follows of it, once everything is ready; the stack goes on running",
    )
    arguments = parser.parse_args()

    async def until(stop: asyncio.Event) -> None:
        await run(stop, then=arguments.then, with_parent=arguments.with_parent)

    return run_process(until)


if __name__ == "__main__":
    sys.exit(main())
