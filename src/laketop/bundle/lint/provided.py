"""What an environment of Databricks has by itself."""

from __future__ import annotations

from typing import Final

PROVIDED: Final = frozenset(
    {*("pyspark", "delta", "databricks", "dbruntime", "dlt", "py4j", "mlflow", "IPython")}
    | {*("pandas", "numpy", "scipy", "sklearn", "pyarrow", "matplotlib", "seaborn", "plotly")}
    | {*("requests", "urllib3", "certifi", "idna", "yaml", "pytz", "dateutil", "six", "packaging")}
    | {*("setuptools", "pip", "pkg_resources", "wheel", "cryptography", "google", "grpc", "jinja2")}
    | {*("boto3", "botocore", "azure", "pydantic", "typing_extensions", "joblib", "cloudpickle")}
    | {*("statsmodels", "psutil", "click", "sqlparse", "cachetools", "ipywidgets", "tenacity")}
)
"""By the names that are imported. Databricks lists more; what is here is on every runtime."""
