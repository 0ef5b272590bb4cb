"""Generated from the protos of buf.validate."""
