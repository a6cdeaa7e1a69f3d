"""What Multipede must reach, measured: ``make bench``. Ratios are taken side by side in one run."""
