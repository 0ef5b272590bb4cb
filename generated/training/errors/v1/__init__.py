"""Generated from the protos of training.errors.v1."""
