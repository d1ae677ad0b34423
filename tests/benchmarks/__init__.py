"""Tests of what the benchmarks compute; their figures are not asserted."""
