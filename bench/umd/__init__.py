"""Real input: a university's courses as released programs and its sections as published offers.

`make real-input` converts the data, imports it through the gRPC APIs into a stack of its own, and compares what the
catalogue then holds with an independent reading of the source. `convert` and `expect` must not know each other.
"""
