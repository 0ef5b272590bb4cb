"""Generated from the protos of training."""
