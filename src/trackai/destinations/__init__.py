"""Ad platforms: translate conversions and send them. Adapters never store or queue."""
