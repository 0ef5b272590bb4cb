"""The command line: imports of programs and offers, how the services are doing, and the demo's sample catalogue."""
