"""The one path of every command: load, decide, commit."""
