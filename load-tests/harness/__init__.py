"""What `load-tests/run` and `load-tests/oha` are made of. Python's standard library only."""
