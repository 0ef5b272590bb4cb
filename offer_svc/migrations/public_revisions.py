"""How stored offers came to remember the last revision that readers saw, and its time.

Their events tell both. What is told is written behind the stored message, where it is read as part of it; offers that
readers never saw stay as they are.
"""

import sqlalchemy as sa
from alembic import op
from training.offer.v1.events_pb2 import OfferEvent
from training.offer.v1.offer_pb2 import Offer

_SHOWN = sa.text(
    "SELECT offer.offer_id, offer.public_revision, journal.public FROM offer JOIN journal "
    "ON journal.aggregate_id = offer.offer_id AND journal.revision = offer.public_revision "
    "WHERE CAST(:after AS uuid) IS NULL OR offer.offer_id > :after ORDER BY offer.offer_id LIMIT 500"
)
_REMEMBER = sa.text("UPDATE offer SET state = state || CAST(:remembered AS bytea) WHERE offer_id = :offer_id")


def remember_public_revisions() -> None:
    """Let every offer remember; to be run once the rows name their public revisions, while the journal is whole."""
    connection, after = op.get_bind(), None
    while shown := connection.execute(_SHOWN, {"after": after}).all():
        for offer_id, revision, public in shown:
            told = OfferEvent.FromString(public).offer
            remembered = Offer(public_revision=revision, public_time=told.update_time).SerializeToString()
            connection.execute(_REMEMBER, {"offer_id": offer_id, "remembered": remembered})
        after = shown[-1].offer_id
