"""Generated from the protos of training.catalogue."""
