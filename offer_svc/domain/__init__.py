"""The pure rules of training offers."""
