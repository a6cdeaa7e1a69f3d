"""Transformers as matrix products, and what these take on arrays of tiles."""
