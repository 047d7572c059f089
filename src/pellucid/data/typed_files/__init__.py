"""Files whose values have types: Parquet, Arrow, ORC, JSON and SQLite."""
