"""The offer service's edges: messages, calls and storage."""
