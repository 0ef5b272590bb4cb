"""The offer service: pricing, scheduling and availability of dated runs of released programs."""
