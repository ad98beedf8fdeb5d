"""``seawall demo``: a trading day on a simulated gateway, guarded by the real daemon, told as it goes.

The gateway is a process of its own with its own clock; the daemon runs here, from a configuration
file, through the real SDK and real sockets. Traders act through the public REST API alone. What is
measured on the way is held against the targets of the five flows, and what is left at the end against
the exchange's own truth.
"""
