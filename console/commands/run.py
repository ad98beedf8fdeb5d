"""``seawall run``: the daemon."""

from console.options import DEFAULT_CONFIG, ConfigFile


def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Guard the accounts of a configuration until told to stop (Ctrl-C)."""
    import typer

    from console.daemon import guard
    from console.loaded import load_or_exit

    raise typer.Exit(guard(load_or_exit(config, for_run=True)))
