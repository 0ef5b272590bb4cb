"""`trainingctl`: one command line for importers and operators."""

from typing import Final

import typer

from trainingctl import (
    audit_command,
    demo,
    epoch_command,
    exit_codes,
    explain_command,
    import_command,
    parked_command,
    rebuild_command,
    status_command,
)

app: Final = typer.Typer(
    no_args_is_help=True,
    help="Import a training catalogue, watch over its services and heal them, or load the demo's sample.",
    epilog=exit_codes.IN_HELP,
)
app.add_typer(import_command.app, name="import")
app.command()(status_command.status)
app.command()(explain_command.explain)
app.command()(audit_command.audit)
app.command()(rebuild_command.rebuild)
app.add_typer(parked_command.app, name="parked")
app.add_typer(epoch_command.app, name="epoch")
app.command()(demo.demo)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
