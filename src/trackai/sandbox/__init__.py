"""Local stand-ins for the platforms at both ends, for the demo, tests and customers.

They hold callers to the real contracts and know nothing of our adapters, so that they check them
independently. The production path never imports them.
"""
