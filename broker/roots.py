"""Which product a contract is: its root from the name, cross-checked with its id.

The gateway's ids carry product codes of their own for the larger contracts (``CON.F.US.ENQ.Z26``
is NQZ6). The name decides; the table below only cross-checks it.
"""

import re
from datetime import date

AS_OF = date(2026, 10, 1)
"""When the table was last compared with what the gateway's users report."""

ROOT_OF_CODE = {
    "EP": "ES",
    "ENQ": "NQ",
    "EU6": "6E",
    "BP6": "6B",
    "JY6": "6J",
    "DA6": "6A",
    "CA6": "6C",
    "SF6": "6S",
    "NE6": "6N",
    "MX6": "6M",
    "EEU": "E7",
    "GMET": "MET",
    "NQG": "QG",
    "NQM": "QM",
    "CLE": "CL",
    "GCE": "GC",
    "SIE": "SI",
    "NGE": "NG",
    "CPE": "HG",
    "USA": "ZB",
    "TYA": "ZN",
    "FVA": "ZF",
    "TUA": "ZT",
}
"""Product code of a contract id to root; a code that is not here is its own root."""

CODE_OF_ROOT = {root: code for code, root in ROOT_OF_CODE.items()}

_DATED_NAME = re.compile(r"(?P<root>.+)[FGHJKMNQUVXZ]\d{1,2}")


def root_of_name(name: str) -> str:
    """The name without month code and year (``NQZ6`` is NQ); a name without them is a root."""
    plain = name.strip().lstrip("/").upper()
    dated = _DATED_NAME.fullmatch(plain)
    return dated["root"] if dated else plain


def code_of_id(contract_id: str) -> str | None:
    """The product code in ``CON.F.US.ENQ.Z26`` or ``F.US.ENQ``; None for any other shape."""
    parts = contract_id.split(".")
    if parts[0] == "CON":
        parts = parts[1:]
    return parts[2] if len(parts) in (3, 4) and parts[2] else None


def root_of_id(contract_id: str) -> str | None:
    """The root that the id alone suggests; None when the id has an unknown shape."""
    code = code_of_id(contract_id)
    return None if code is None else ROOT_OF_CODE.get(code, code)


def conflicting_root(contract_id: str, name: str) -> str | None:
    """The second root when id and name really disagree, else None.

    A code that equals the root, or that the table does not know, agrees with any name. After a
    conflict the contract counts under both roots and the stricter limit wins.
    """
    mapped = ROOT_OF_CODE.get(code_of_id(contract_id) or "")
    return None if mapped in (None, root_of_name(name)) or _same_code(contract_id, name) else mapped


def _same_code(contract_id: str, name: str) -> bool:
    return code_of_id(contract_id) == root_of_name(name)
