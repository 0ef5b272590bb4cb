"""From the stream into a copy: the durable subscriber."""
