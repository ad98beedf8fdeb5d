"""Measurements of Seawall: what it promises, what this machine gives, and the ratio between them."""
