"""What the read model makes of each source's events."""
