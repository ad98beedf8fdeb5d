"""``seawall check``: what a configuration means, before anything is guarded by it."""

from typing import TYPE_CHECKING, Any

from console.options import DEFAULT_CONFIG, ConfigFile, Json
from console.output import Part, Said, Table, Tone, show

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config import Config, Provenance
    from config.model import AccountConfig
    from config.problem import Problem


def check(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Validate a configuration and show the effective rules of each account."""
    from console.loaded import load_or_exit

    loaded = load_or_exit(config)
    show(_document(loaded), *_parts(loaded), as_json=as_json)


def _document(config: "Config") -> dict[str, Any]:
    accounts = (*config.accounts, *filter(None, (config.template,)))
    return {
        "config": str(config.path),
        "fingerprint": config.fingerprint(),
        "effective": config.document(),
        "provenance": {
            account.name: [each._asdict() for each in account.provenance] for account in accounts
        },
        "groups": {
            group.name: [each._asdict() for each in group.provenance] for group in config.groups
        },
        "warnings": [_problem(each) for each in config.warnings],
        "not_yet_enforced": [_problem(each) for each in config.not_yet],
    }


def _problem(problem: "Problem") -> dict[str, Any]:
    return {
        "path": str(problem.path),
        "line": problem.line,
        "column": problem.column,
        "key": problem.key,
        "message": problem.message,
        "hint": problem.hint,
    }


def _parts(config: "Config") -> list[Part]:
    parts: list[Part] = []
    for account in (*config.accounts, *filter(None, (config.template,))):
        parts += [_heading(account), _rules(account.provenance, config.path), ""]
    for group in config.groups:
        heading = Said(f"group {group.name}: {', '.join(group.accounts)}", Tone.TITLE)
        parts += [heading, _rules(group.provenance, config.path), ""]
    if not config.accounts and config.template is None:
        parts += [Said("no account is configured: nothing would be guarded", Tone.BAD), ""]
    parts += [Said(f"warning: {each}", Tone.WARN) for each in config.warnings]
    parts += [Said(f"not yet enforced: {each}", Tone.WARN) for each in config.not_yet]
    return [*parts, _verdict(config)]


def _heading(account: "AccountConfig") -> Said:
    name = "every other account" if account.name == "*" else account.name
    words = [f"{name} ({'any login' if account.login == '*' else 'login ' + account.login}"]
    if account.profile:
        words.append(f", profile {account.profile}")
    words.append(")" if account.armed else "), WATCHED ONLY: breaches are told, nothing is closed")
    return Said("".join(words), Tone.TITLE if account.armed else Tone.WARN)


def _rules(provenance: "Sequence[Provenance]", path: "Path") -> Part:
    if not provenance:
        return Said("no rule: nothing is enforced here", Tone.BAD)
    rows = []
    above = ""
    for rule, key, value, origin in provenance:
        shown = origin.replace(str(path), path.name)
        rows.append(("" if rule == above else rule, key, value, Said(shown, Tone.QUIET)))
        above = rule
    return Table(("rule", "setting", "value", "from"), tuple(rows))


def _verdict(config: "Config") -> Said:
    if config.not_yet:
        return Said(
            "valid, but `seawall run` refuses it until what is not yet enforced is taken out",
            Tone.WARN,
        )
    return Said("valid", Tone.GOOD)
