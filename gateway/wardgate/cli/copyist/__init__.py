"""The work of ``wardgate copy``: what is where, what is to be done, and doing it."""
