"""Benchmarks: figures as ratios taken in one run; no assertion on time lives in the tests."""
