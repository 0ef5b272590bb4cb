"""Generated from the protos of training.program."""
