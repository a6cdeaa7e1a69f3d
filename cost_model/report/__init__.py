"""One page with everything: the catalogue, results, published figures, methods."""
