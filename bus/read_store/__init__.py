"""A service's copies of its sources, in generations."""
