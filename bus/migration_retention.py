"""How the journal came to be kept by time; each service's migrations call the step."""


def add_retention() -> None:
    """Divide the journal by time and give the history a table of its own."""


def drop_retention() -> None:
    """Take `add_retention` back."""
