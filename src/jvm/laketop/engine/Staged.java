package laketop.engine;

import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.StagedTable;
import org.apache.spark.sql.connector.catalog.SupportsWrite;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;
import org.apache.spark.sql.connector.write.LogicalWriteInfo;
import org.apache.spark.sql.connector.write.WriteBuilder;
import org.apache.spark.sql.types.StructType;

/** Delta's staged table together with the creation that it belongs to. */
final class Staged implements StagedTable, SupportsWrite {
  private final StagedTable table;
  private final Creation creation;
  private final Runnable rest;

  Staged(StagedTable table, Creation creation, Runnable rest) {
    this.table = table;
    this.creation = creation;
    this.rest = rest;
  }

  @Override
  public void commitStagedChanges() {
    table.commitStagedChanges();
    creation.commit(rest);
    creation.close();
  }

  /** Spark calls this after a write or a commit that failed. */
  @Override
  public void abortStagedChanges() {
    try {
      table.abortStagedChanges();
    } finally {
      creation.close();
    }
  }

  @Override
  public String name() {
    return table.name();
  }

  @Override
  @SuppressWarnings("deprecation")
  public StructType schema() {
    return table.schema();
  }

  @Override
  public Column[] columns() {
    return table.columns();
  }

  @Override
  public Transform[] partitioning() {
    return table.partitioning();
  }

  @Override
  public Map<String, String> properties() {
    return table.properties();
  }

  @Override
  public Set<TableCapability> capabilities() {
    return table.capabilities();
  }

  @Override
  public CustomTaskMetric[] reportDriverMetrics() {
    return table.reportDriverMetrics();
  }

  @Override
  public WriteBuilder newWriteBuilder(LogicalWriteInfo info) {
    return ((SupportsWrite) table).newWriteBuilder(info);
  }
}
