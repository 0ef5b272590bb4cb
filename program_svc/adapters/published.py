"""What is published of programs, made again of their stored messages."""

from training.program.v1 import program_pb2 as pb

from program_svc.adapters import mapping


class PublishedPrograms:
    """Tells what has been published of programs, as the bus asks."""

    def body_of(self, state: bytes, revision: int) -> bytes:
        """Return the body of an event that carries what readers see as of a public revision, and no change.

        It goes from message to message: a copy of everything asks for hundreds of thousands.
        """
        return mapping.published_body(pb.Program.FromString(state), revision)
