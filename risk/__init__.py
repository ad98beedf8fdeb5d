"""The pure core: what an account holds, what it is worth, and which rules it breaks."""
