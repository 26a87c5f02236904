"""The edge: take what pages and payment platforms send, keep it durably, say yes. Nothing more."""
