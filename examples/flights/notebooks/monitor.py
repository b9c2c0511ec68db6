# Databricks notebook source
# MAGIC %md
# MAGIC # What was predicted, and what happened
# MAGIC Refreshes the metric tables of `predictions`, looks at each month, and says whether the
# MAGIC share of late flights has moved further from the training months than it may.

# COMMAND ----------

dbutils.widgets.text("catalog", "dev")
dbutils.widgets.text("schema", "flights")
dbutils.widgets.text("experiment", "")
dbutils.widgets.text("drift_threshold", "0.07")
dbutils.widgets.text("run", "")

# COMMAND ----------

from flights.monitor import check_drift, monitor
from flights.parameters import from_mapping

names = ("catalog", "schema", "experiment", "drift_threshold", "run")
run = from_mapping({name: dbutils.widgets.get(name) for name in names})
months = monitor(spark, run)

# COMMAND ----------

display(spark.createDataFrame(months))

# COMMAND ----------

# MAGIC %md
# MAGIC The inputs drift with the season, as the population stability index shows; that alone is no
# MAGIC reason to train anew.

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT column_name, round(max(population_stability_index), 3) AS largest_psi
# MAGIC FROM IDENTIFIER(:catalog || '.' || :schema || '.predictions_drift_metrics')
# MAGIC WHERE drift_type = 'BASELINE' AND column_name <> ':table'
# MAGIC GROUP BY column_name ORDER BY largest_psi DESC

# COMMAND ----------

found = check_drift(spark, run, months)
dbutils.jobs.taskValues.set("late_rate_change", found.late_rate_change)
dbutils.jobs.taskValues.set("drift_month", found.month)
dbutils.jobs.taskValues.set("alarms", [list(alarm) for alarm in found.alarms])
