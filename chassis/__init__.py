"""What every service process needs, whatever its domain."""
