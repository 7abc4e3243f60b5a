"""The pytest plugin: imports only pytest, since it loads before anything else."""
