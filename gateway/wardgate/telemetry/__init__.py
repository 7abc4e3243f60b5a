"""What an operator sees of the gateway: metrics, traces and logs, with no path, value, token or name in any."""
