"""Liberty files: what a library's cells do, how long they take and what energy they need."""
