"""What is wrong with a configuration, where, and what would be right."""

import json
import re
from pathlib import Path

from attrs import define, field, frozen

from config.locate import KeyPath


@frozen(order=True)
class Problem:
    """One finding; ``str()`` is what people read, secrets are never part of it."""

    path: Path
    """The file as it was named."""
    line: int
    column: int
    """Both from 1, in characters."""
    key: str
    """Dotted; empty when the whole file is meant."""
    message: str
    hint: str = ""
    source_line: str = ""
    """The line as it may be shown: values of secret keys are masked."""

    @property
    def place(self) -> str:
        """``FILE:LINE:COLUMN``."""
        return f"{self.path}:{self.line}:{self.column}"

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        hint = f"; {self.hint}" if self.hint else ""
        said = f"{self.place}: {key}{self.message}{hint}"
        if not self.source_line.strip():
            return said
        number = str(self.line)
        margin = " " * len(number)
        caret = " " * min(self.column - 1, len(self.source_line)) + "^"
        return f"{said}\n  {number} | {self.source_line}\n  {margin} | {caret}"


class ConfigErrors(ValueError):
    """A configuration that cannot be used; ``str()`` is the full report, one entry per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


@define
class Findings:
    """What reading has found so far."""

    errors: list[Problem] = field(factory=list)
    warnings: list[Problem] = field(factory=list)
    not_yet: list[Problem] = field(factory=list)


def in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """By place, each once."""
    return tuple(sorted(set(problems)))


def dotted(path: KeyPath) -> str:
    """A key path as one writes it in a file; array elements as ``key[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + quoted_key(part)
    return text


def quoted_key(key: str) -> str:
    """A key, in quotes where TOML wants them."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", key):
        return key
    return in_quotes(key)


def in_quotes(text: str) -> str:
    """A text as TOML has it, control characters escaped."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
