"""Generated from the protos of training.ops.v1."""
