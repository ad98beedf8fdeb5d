"""``seawall tree``: the supervision tree of the running daemon."""

from typing import Any

from console.options import DEFAULT_CONFIG, ConfigFile, Json
from console.output import Branch, Said, Tone, show

TONES = {"running": Tone.GOOD, "parked": Tone.BAD}


def tree(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show every actor of the running daemon, and how it fares."""
    from console.ask import answer_or_exit

    answer = answer_or_exit(config, "tree")
    show(answer, branch(answer), as_json=as_json)


def branch(node: dict[str, Any]) -> Branch:
    """A node of a tree answer for people, with everything below it."""
    state = str(node["state"])
    return Branch(
        (
            Said(str(node["id"]), Tone.TITLE if node["kind"] == "supervisor" else Tone.PLAIN),
            Said("PARKED: unguarded" if state == "parked" else state, TONES.get(state, Tone.WARN)),
            *_facts(node),
            *_troubles(node),
        ),
        tuple(branch(child) for child in node["children"]),
    )


def _facts(node: dict[str, Any]) -> list[Said]:
    """The one thing worth knowing of some actors."""
    status = node["status"]
    match node["id"]:
        case "account" if "phase" in status:
            live = status["phase"] == "live"
            return [Said(str(status["phase"]), Tone.GOOD if live else Tone.WARN)]
        case "rules" if "rules" in status:
            return [Said(", ".join(status["rules"]) or "none", Tone.QUIET)]
        case "enforcement" if status.get("armed") is False:
            return [Said("watching only, sends nothing", Tone.WARN)]
        case "connection" if status.get("problem"):
            return [Said(str(status["problem"]), Tone.BAD)]
    return []


def _troubles(node: dict[str, Any]) -> list[Said]:
    said = []
    if node["restarts"]:
        times = "once" if node["restarts"] == 1 else f"{node['restarts']} times"
        said.append(Said(f"restarted {times}", Tone.WARN))
    if node["depth"]:
        said.append(Said(f"{node['depth']} messages waiting"))
    if node["busy_for"] > 1:
        said.append(Said(f"busy for {node['busy_for']:.0f} s", Tone.WARN))
    if node["last_error"]:
        said.append(Said(f"last error: {node['last_error']}", Tone.WARN))
    return said
