"""The least that any implementation must do, written by hand: what the figures stand beside."""
