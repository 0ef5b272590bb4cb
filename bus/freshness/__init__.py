"""How far copies have come, and waiting for them."""
