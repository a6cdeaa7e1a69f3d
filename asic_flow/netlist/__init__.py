"""Flat netlists of library cells, as Yosys writes them in JSON."""
