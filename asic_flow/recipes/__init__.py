"""Scripts for ABC: searched for, and compared on units that the search never saw."""
