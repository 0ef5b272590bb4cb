"""From the journal to the stream."""
