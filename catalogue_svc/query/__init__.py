"""The queries on the read model."""
