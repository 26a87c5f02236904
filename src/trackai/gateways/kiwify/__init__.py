"""Kiwify: capitalized keys, an HMAC-SHA1 of the raw body in the query."""
