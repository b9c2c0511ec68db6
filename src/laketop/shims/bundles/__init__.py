"""What `databricks.bundles` is made of: a bundle's resources, written and changed in Python."""
