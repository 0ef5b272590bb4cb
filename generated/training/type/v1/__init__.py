"""Generated from the protos of training.type.v1."""
