"""How much an account may hold: of each product, or by the balance with which its day began."""

from attrs import frozen


@frozen
class PerRoot:
    """Contracts of each root that may be held at once."""

    limits: tuple[tuple[str, float], ...]
    other: float | None = None
    """Of each root that is not named; None: as many as one likes."""

    def limit_of(self, root: str) -> float | None:
        """None: as many as one likes."""
        return dict(self.limits).get(root, self.other)

    def forbids(self, root: str) -> bool:
        """Whether nothing of this root may be held, so that nothing may be working to open it."""
        return self.limit_of(root) == 0
