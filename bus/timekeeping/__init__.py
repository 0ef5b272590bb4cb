"""What becomes due because time passes."""
