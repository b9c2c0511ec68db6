# Databricks notebook source
# MAGIC %md
# MAGIC # A look at the flights
# MAGIC What is there, how many flights arrive late, and what a missing label means.

# COMMAND ----------

import time
from datetime import datetime, timezone

begin = time.monotonic()
dbutils.widgets.text("catalog", "dev")
dbutils.widgets.text("schema", "flights")
dbutils.widgets.text("run", "")

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT month, count(*) AS flights,
# MAGIC        round(100 * avg(CASE WHEN dep_time IS NULL THEN 1 ELSE 0 END), 1) AS cancelled_percent,
# MAGIC        round(avg(CASE WHEN arr_delay > 15 THEN 1 ELSE 0 END), 3) AS late,
# MAGIC        round(avg(arr_delay), 1) AS mean_arrival_delay
# MAGIC FROM IDENTIFIER(:catalog || '.' || :schema || '.flights')
# MAGIC GROUP BY month ORDER BY month

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT origin, count(*) AS hours, round(avg(temp), 1) AS mean_temp,
# MAGIC        sum(CASE WHEN wind_gust IS NULL THEN 1 ELSE 0 END) AS without_gust
# MAGIC FROM IDENTIFIER(:catalog || '.' || :schema || '.weather')
# MAGIC GROUP BY origin ORDER BY origin

# COMMAND ----------

name = f"{dbutils.widgets.get('catalog')}.{dbutils.widgets.get('schema')}"
summary = spark.sql(f"""
    SELECT count(*) AS flights, count(DISTINCT carrier) AS carriers, count(DISTINCT dest) AS places,
           avg(CASE WHEN arr_delay > 15 THEN 1.0 WHEN arr_delay IS NOT NULL THEN 0.0 END) AS late,
           sum(CASE WHEN arr_delay IS NULL THEN 1 ELSE 0 END) AS unlabelled
    FROM {name}.flights
""").first()
display(spark.createDataFrame([summary]))

# COMMAND ----------

figure = (
    f"{summary['carriers']} carriers, {summary['places']} destinations, "
    f"{100 * summary['late']:.1f} % late, {summary['unlabelled']:,} never labelled"
)
print(figure)
if dbutils.widgets.get("run"):
    spark.createDataFrame(
        [
            (
                dbutils.widgets.get("run"),
                "explore",
                f"{summary['flights']:,} flights",
                figure,
                round(time.monotonic() - begin, 3),
                datetime.now(timezone.utc),
            )
        ],
        "run string, what string, on string, figure string, seconds double, recorded_at timestamp",
    ).write.mode("append").saveAsTable(f"{name}.run_figures")

# COMMAND ----------

dbutils.notebook.exit(figure)
