"""Arithmetic that every unit is built from."""
