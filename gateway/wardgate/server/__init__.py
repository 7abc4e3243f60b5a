"""The process model: one supervisor, its workers, what they share, and how a socket's bytes become requests."""
