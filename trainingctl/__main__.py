"""`trainingctl`: one command line for importers and operators."""

from typing import Final

import typer

from trainingctl import demo, import_command, status_command

app: Final = typer.Typer(
    no_args_is_help=True, help="Import a training catalogue, watch over its services, or load the demo's sample."
)
app.add_typer(import_command.app, name="import")
app.command()(status_command.status)
app.command()(demo.demo)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
