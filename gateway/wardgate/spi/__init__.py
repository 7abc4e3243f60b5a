"""All that a plugin's author imports, one noun a file: start at ``backend`` or ``frontend``, then ``hookspecs``."""
