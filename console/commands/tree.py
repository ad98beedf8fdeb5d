"""``seawall tree``: the supervision tree of the running daemon."""

from typing import Any

from console.options import DEFAULT_CONFIG, ConfigFile, Json
from console.output import Branch, Said, Tone, show

TONES = {"running": Tone.GOOD, "parked": Tone.BAD}


def tree(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show every actor of the running daemon, and how it fares."""
    from console.ask import answer_or_exit

    answer = answer_or_exit(config, "tree")
    show(answer, _branch(answer), as_json=as_json)


def _branch(node: dict[str, Any]) -> Branch:
    state = str(node["state"])
    return Branch(
        (
            Said(str(node["id"]), Tone.TITLE if node["kind"] == "supervisor" else Tone.PLAIN),
            Said("PARKED: unguarded" if state == "parked" else state, TONES.get(state, Tone.WARN)),
            *_troubles(node),
        ),
        tuple(_branch(child) for child in node["children"]),
    )


def _troubles(node: dict[str, Any]) -> list[Said]:
    said = []
    if node["restarts"]:
        said.append(Said(f"restarted {node['restarts']} times", Tone.WARN))
    if node["depth"]:
        said.append(Said(f"{node['depth']} messages waiting"))
    if node["busy_for"] > 1:
        said.append(Said(f"busy for {node['busy_for']:.0f} s", Tone.WARN))
    if node["last_error"]:
        said.append(Said(f"last error: {node['last_error']}", Tone.WARN))
    return said
