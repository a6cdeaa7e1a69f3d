"""From RTLIL to cells of a library that hold a clock."""
