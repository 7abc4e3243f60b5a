"""The encrypted store behind the native backend: heads, sealed versions and the SQL that keeps them."""
