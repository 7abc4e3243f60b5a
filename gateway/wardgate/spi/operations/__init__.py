"""Every operation the road knows, one file a noun."""
