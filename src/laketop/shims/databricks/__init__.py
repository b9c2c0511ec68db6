"""One of several folders that make up `databricks`: the line below lets the others be found."""

__path__ = __import__("pkgutil").extend_path(__path__, __name__)
