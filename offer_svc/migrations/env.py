"""How Alembic runs the migrations: on the connection it is given, in that connection's transaction."""

from alembic import context

from offer_svc.adapters.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
