"""The use cases of offers: one command path, and the views beside it."""
