package laketop.engine;

import java.util.Arrays;
import java.util.Map;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.StagedTable;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.delta.catalog.DeltaCatalog;

/** Spark's own catalog, which is only memory: it reads files by path and keeps no tables. */
public final class SessionCatalog extends DeltaCatalog {
  @Override
  public Table createTable(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    refuse(id);
    return super.createTable(id, columns, partitions, properties);
  }

  @Override
  public StagedTable stageCreate(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    refuse(id);
    return super.stageCreate(id, columns, partitions, properties);
  }

  @Override
  public StagedTable stageReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    refuse(id);
    return super.stageReplace(id, columns, partitions, properties);
  }

  @Override
  public StagedTable stageCreateOrReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    refuse(id);
    return super.stageCreateOrReplace(id, columns, partitions, properties);
  }

  /** Keeps back the schemas that functions are registered in. */
  @Override
  public String[][] listNamespaces() throws NoSuchNamespaceException {
    return Arrays.stream(super.listNamespaces())
        .filter(namespace -> !Functions.isOwn(namespace[0]))
        .toArray(String[][]::new);
  }

  @Override
  public String[][] listNamespaces(String[] namespace) throws NoSuchNamespaceException {
    return namespace.length == 0 ? listNamespaces() : super.listNamespaces(namespace);
  }

  private void refuse(Identifier id) {
    if (!isPathIdentifier(id)) {
      throw refusal(id.name());
    }
  }

  static RuntimeException refusal(String name) {
    return Refusal.of("UNSUPPORTED_FEATURE.SPARK_CATALOG",
        "spark_catalog keeps nothing; create `" + name + "` in a catalog such as main.");
  }
}
