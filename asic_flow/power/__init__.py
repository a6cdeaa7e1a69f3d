"""Power of mapped netlists that compute real data."""
