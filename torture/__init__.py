"""Proof under faults: the real processes, killed, cut off and lied to, and then the ledger."""
