"""Measurements of the whole line, and imports of real data as a user would do them."""
