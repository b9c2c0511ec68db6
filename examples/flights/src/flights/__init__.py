"""Late arrivals of flights from New York: features, model, gates, scoring, monitoring."""
