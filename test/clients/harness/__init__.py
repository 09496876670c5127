"""Starts and stops the daemons that the client suites talk to, and runs those suites. Standard library only."""
