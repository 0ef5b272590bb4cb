"""The use cases of programs: one command path, and the views beside it."""
