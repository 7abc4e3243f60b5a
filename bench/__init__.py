"""The benchmarks, each against its peer in the same run; never part of a test."""
