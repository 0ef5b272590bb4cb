"""The edges of the program service: protobuf, gRPC and PostgreSQL."""
