# Databricks notebook source
# MAGIC %md
# MAGIC # Train a model, and look at what it learned from
# MAGIC The same code as the step `train` of the job `mlops`, cell by cell: the labelled flights of the
# MAGIC training months, a version of the model, what that version says of itself. The new version is
# MAGIC the challenger; whether it becomes champion is for the gates to say.

# COMMAND ----------

dbutils.widgets.text("catalog", "dev")
dbutils.widgets.text("schema", "flights")
dbutils.widgets.text("experiment", "")
dbutils.widgets.text("first_month", "2013-01")
dbutils.widgets.text("train_through", "2013-03")
dbutils.widgets.text("trials", "2")
dbutils.widgets.text("search_seconds", "20")
dbutils.widgets.text("leak_lag_hours", "0")
dbutils.widgets.text("git_commit", "")
dbutils.widgets.text("deployment_job", "")

# COMMAND ----------

from flights.parameters import from_mapping

names = ["catalog", "schema", "experiment", "first_month", "train_through"]
names += ["trials", "search_seconds", "leak_lag_hours", "git_commit", "deployment_job"]
run = from_mapping({name: dbutils.widgets.get(name) for name in names})

# COMMAND ----------

from flights.train import training_rows

training_set = training_rows(spark, run)
display(training_set.load_df().groupBy("origin").agg({"late": "avg", "recent_delay": "avg"}))

# COMMAND ----------

# MAGIC %md
# MAGIC Every feature is as of two hours before departure; nothing of the flight itself is among them.

# COMMAND ----------

from laketop.ml import leaks

planned = ["known_at", "time_hour"]
evidence = leaks.find(
    spark, training_set, cutoff="known_at", planned=planned, lag=run.leak_lag
)
leaks.require(evidence)
found = [(x.feature, x.reason) for x in evidence]
display(spark.createDataFrame(found, "feature string, reason string"))

# COMMAND ----------

from flights.train import train

version = train(spark, run)

# COMMAND ----------

from flights import registry

client = registry.client(run)
told = client.get_model_version(run.model, version)
metrics = client.get_run(told.run_id or "").data.metrics
kept = [(name, value) for name, value in sorted(metrics.items()) if "validation" in name]
display(spark.createDataFrame(kept, "metric string, value double"))

# COMMAND ----------

dbutils.notebook.exit(version)
