"""What a command database records of its revisions, and what others may read of it."""
