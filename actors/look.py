"""What one look at the account list has brought for an account."""

from datetime import datetime

from attrs import frozen

from risk.domain import BrokerAccount


@frozen
class Look:
    """The broker's word on an account, and when it was asked for."""

    account: BrokerAccount
    skew: float
    """Broker clock minus ours, seconds."""
    asked: datetime
    """By our clock, as the next; aware UTC."""
    answered: datetime
