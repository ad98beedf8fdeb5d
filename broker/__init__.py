"""The broker as a port, and its two sides: the real gateway and the exchange model."""
