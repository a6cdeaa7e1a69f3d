"""Static timing of mapped netlists."""
