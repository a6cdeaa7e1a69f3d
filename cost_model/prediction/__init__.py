"""Costs of units told from their operators, by figures that were calibrated on synthesised ones."""
