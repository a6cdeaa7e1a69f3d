"""Published claims beside experiments of ours, one module for each paper."""
