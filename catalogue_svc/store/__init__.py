"""The read model: where projection and query meet."""
