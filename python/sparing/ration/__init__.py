"""Orders of a day: from own stock, or by a supplier."""
