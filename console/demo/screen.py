"""The story on a terminal: the gateway's clock, six accounts, what happens and what is done about it.

Drawn by the daemon's own loop a few times a second; no thread draws by itself.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import trio
from attrs import frozen
from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from console.demo.cast import DAY_LOSS, TRADERS, Trader
from console.demo.chronicle import Deed, Kind, Told
from console.demo.picture import AccountShown, Picture
from console.demo.stage import Stage

COLUMNS, ROWS = 100, 30
"""The smallest terminal it is made for."""
DRAW_EVERY = 0.2
CHICAGO = ZoneInfo("America/Chicago")
BAR = 14
"""Cells of the bar that shows what is left of the day's loss."""
ACCOUNT_ROWS, STORY_ROWS = 6, 7
PER_ROW = 3
DONE_AT_MOST = 30
PHASES = {
    "waiting": "NOT GUARDED: cut off",
    "reconciling": "reading it from the broker",
}
"""What the phases before ``live`` mean."""
WHY_AT_MOST = 110
"""Characters of a reason: about two rows."""
STYLES = {
    Kind.ENFORCED: "bold",
    Kind.FALL: "magenta",
    Kind.PROBLEM: "bold red",
}


@frozen
class Scenery:
    """Everything one drawing shows."""

    now: datetime
    speed: float
    picture: Picture | None
    names: dict[str, str]
    """Root by contract id."""
    told: Sequence[Told]


class Screen:
    """Follows the story on a terminal."""

    def __init__(self) -> None:
        self._told: list[Told] = []

    def show(self, told: Told) -> None:
        """Keep it for the next drawing."""
        self._told.append(told)

    async def watch(self, stage: Stage) -> None:
        """Draw until cancelled."""
        with Live(screen=True, auto_refresh=False, console=Console(highlight=False)) as live:
            while True:
                scenery = Scenery(
                    stage.now(), stage.speed, stage.picture(), stage.names, self._told
                )
                live.update(draw(scenery), refresh=True)
                await trio.sleep(DRAW_EVERY)


def draw(scenery: Scenery) -> Layout:
    """One drawing, which fills its terminal."""
    layout = Layout()
    accounts = Layout(size=ACCOUNT_ROWS * -(-len(TRADERS) // PER_ROW))
    accounts.split_column(*(_row(scenery, row) for row in _rows()))
    layout.split_column(
        Layout(_heading(scenery), size=1),
        accounts,
        Layout(_story(scenery), size=STORY_ROWS),
        Layout(_done(scenery)),
    )
    return layout


def _rows() -> Iterable[tuple[Trader, ...]]:
    return (TRADERS[at : at + PER_ROW] for at in range(0, len(TRADERS), PER_ROW))


def _row(scenery: Scenery, traders: tuple[Trader, ...]) -> Layout:
    row = Layout()
    row.split_row(*(Layout(_account(scenery, trader)) for trader in traders))
    return row


# ---- the heading --------------------------------------------------------------------------------


def _heading(scenery: Scenery) -> RenderableType:
    heading = Table.grid(expand=True, padding=(0, 2))
    heading.add_column()
    heading.add_column(justify="center")
    heading.add_column(justify="right")
    local = scenery.now.astimezone(CHICAGO)
    heading.add_row(
        Text.assemble((" SEAWALL ", "bold reverse"), " demo"),
        Text.assemble((f"{local:%A %H:%M:%S}", "bold"), f" in Chicago, time x{scenery.speed:.0f}"),
        _links(scenery.picture),
    )
    return heading


def _links(picture: Picture | None) -> Text:
    if picture is None:
        return Text("starting", style="yellow")
    said = Text()
    for name, up in (("orders", picture.user_hub), ("prices", picture.market_hub)):
        said.append(f"{name} ")
        said.append("connected  " if up else "CUT OFF  ", style="green" if up else "bold red")
    return said


# ---- one account --------------------------------------------------------------------------------


def _account(scenery: Scenery, trader: Trader) -> RenderableType:
    shown = None if scenery.picture is None else scenery.picture.accounts.get(trader.account)
    title = f"[bold]{trader.name}[/bold], {trader.character}"
    if shown is None:
        said = "\nits actor is down, restarting" if scenery.picture else "\nnot guarded yet"
        down = Text(said, style="bold magenta")
        return Panel(down, title=title, title_align="left", border_style="magenta")
    lines = (_held(shown, scenery.names), _money(shown), _left(shown), _state(shown))
    return Panel(Group(*lines), title=title, title_align="left", border_style=_colour(shown))


def _colour(shown: AccountShown) -> str:
    if shown.locks:
        return "red"
    return "green" if shown.live else "yellow"


def _held(shown: AccountShown, names: dict[str, str]) -> Text:
    held = ", ".join(f"{net:+d} {names.get(c, c)}" for c, net in shown.positions.items())
    orders = f"{shown.working_orders} orders" if shown.working_orders != 1 else "1 order"
    said = Text(held or "flat", style="bold" if held else "dim")
    return said.append(f"   {orders} working" if shown.working_orders else "", style="dim")


def _money(shown: AccountShown) -> Text:
    said = Text("day ").append(f"{shown.net:+,.2f}", style="red" if shown.net < 0 else "green")
    return said.append(f"   open {shown.open:+,.2f}", style="dim")


def _left(shown: AccountShown) -> Text:
    left = max(DAY_LOSS + min(int(shown.net), 0), 0)
    full = round(BAR * left / DAY_LOSS)
    return Text("█" * full + "░" * (BAR - full)).append(f" {left} to lose", style="dim")


def _state(shown: AccountShown) -> Text:
    if shown.locks:
        until = max(lock.until for lock in shown.locks).astimezone(CHICAGO)
        heard = "" if shown.live else ", cut off"
        return Text(f"LOCKED until {until:%H:%M}{heard}", style="bold red")
    if not shown.live:
        return Text(PHASES.get(shown.phase, shown.phase), style="bold yellow")
    return Text("guarded, live", style="green")


# ---- the story ----------------------------------------------------------------------------------


def _story(scenery: Scenery) -> RenderableType:
    scene = next((e.text for e in reversed(scenery.told) if e.kind is Kind.SCENE), "Starting")
    said = [e for e in scenery.told if e.kind is Kind.SENTENCE]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column()
    for each in _newest(said):
        newest = each is said[-1]
        table.add_row(_time(each), Text(each.text, style="bold" if newest else "dim"))
    title = f"[bold]{scene}[/bold]"
    return Panel(table, title=title, title_align="left", border_style="cyan")


def _newest(said: Sequence[Told]) -> list[Told]:
    """The last sentences that fit, in order; a long one takes several rows."""
    room, fit = STORY_ROWS - 2, list[Told]()
    for each in reversed(said):
        room -= -(-len(each.text) // (COLUMNS - 16))
        if room < 0 and fit:
            break
        fit.insert(0, each)
    return fit


def _done(scenery: Scenery) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column()
    for each in [e for e in scenery.told if e.kind in STYLES][: -DONE_AT_MOST - 1 : -1]:
        table.add_row(_time(each), *_deed(each))
    title = "[bold]What Seawall did, how fast, and why[/bold] (newest first)"
    return Panel(table, title=title, title_align="left", border_style="blue")


def _deed(told: Told) -> tuple[Text, ...]:
    style = STYLES[told.kind]
    match told.what:
        case Deed(who, what, took, why):
            return Text(who, style), Text(what, style), Text(took), Text(_short(why), "dim")
        case words:
            return Text("WRONG", style), Text(words, style), Text(), Text()


def _short(why: str) -> str:
    return why if len(why) <= WHY_AT_MOST else f"{why[: WHY_AT_MOST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _time(told: Told) -> Text:
    return Text(f"{told.at.astimezone(CHICAGO):%H:%M:%S}", style="dim")
