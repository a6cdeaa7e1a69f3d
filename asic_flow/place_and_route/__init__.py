"""Directories for place and route with open flows."""
