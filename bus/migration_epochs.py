"""How epochs came into a command database; each service's migrations call the step."""


def add_epochs() -> None:
    """Remember under which identity of the database each epoch began."""


def drop_epochs() -> None:
    """Take `add_epochs` back."""
