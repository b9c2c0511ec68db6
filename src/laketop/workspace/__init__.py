"""The local workspace: the REST services that a Databricks client finds at its host."""
