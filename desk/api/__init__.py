"""The HTTP API for platforms beside us, `/api/v1`: JSON, tokens of organisations, no cookies and no CORS."""
