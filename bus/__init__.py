"""The mediator: change events from the command services to every subscriber."""
