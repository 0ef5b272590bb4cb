"""The query service: a read model made of the bus's events, and the queries on it."""
