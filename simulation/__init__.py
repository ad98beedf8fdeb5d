"""The whole daemon in virtual time, from one seed, under faults, judged by the exchange's truth."""
