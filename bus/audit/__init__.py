"""Comparing a copy with its source, and putting it right."""
