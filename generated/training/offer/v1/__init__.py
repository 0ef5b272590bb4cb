"""Generated from the protos of training.offer.v1."""
