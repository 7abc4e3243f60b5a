"""``python -m bench``: runs every benchmark and prints its table."""

from bench import reads

reads.main()
