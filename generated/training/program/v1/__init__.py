"""Generated from the protos of training.program.v1."""
