"""Beliefs about what is not seen."""
