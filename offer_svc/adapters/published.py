"""What is published of offers, made again of their stored messages."""

from training.offer.v1 import offer_pb2 as pb

from offer_svc.adapters import mapping


class PublishedOffers:
    """Tells what has been published of offers, as the bus asks."""

    def body_of(self, state: bytes, revision: int) -> bytes:
        """Return the body of an event that carries what readers see as of a public revision, and no change."""
        return mapping.published_body(pb.Offer.FromString(state), revision)
