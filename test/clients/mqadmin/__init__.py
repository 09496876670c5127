"""Apache's administration tool against a running cluster: what it prints is checked, for it always exits with 0."""
