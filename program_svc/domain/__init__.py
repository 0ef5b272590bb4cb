"""The pure rules of training programs; nothing here does I/O."""
