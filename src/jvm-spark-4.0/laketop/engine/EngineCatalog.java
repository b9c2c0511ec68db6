package laketop.engine;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchViewException;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.StagedTable;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.catalog.V1Table;
import org.apache.spark.sql.connector.catalog.procedures.BoundProcedure;
import org.apache.spark.sql.connector.catalog.procedures.UnboundProcedure;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.types.StructType;

/**
 * The catalog as this version of Spark asks for it: a view is a table to it, which Spark reads as a
 * view where it says so.
 */
public final class EngineCatalog extends LakeCatalog {
  @Override
  public Table loadTable(Identifier id) {
    try {
      return viewExists(id)
          ? new V1Table(SparkApi.view(this, id, view(id)))
          : super.loadTable(id);
    } catch (NoSuchViewException e) {
      return super.loadTable(id); // it was dropped a moment ago
    }
  }

  @Override
  public boolean tableExists(Identifier id) {
    return !viewExists(id) && super.tableExists(id);
  }

  /** SHOW TABLES tells the views too, which Spark asks for nowhere else. */
  @Override
  public Identifier[] listTables(String[] namespace) throws NoSuchNamespaceException {
    return namespace.length == 1
        ? relations(namespace[0]).toArray(Identifier[]::new)
        : super.listTables(namespace);
  }

  // ---- creating tables: the parser hands over their constraints as a property

  @Override
  public Table createTable(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return createTable(id, columns, partitions, plain(properties), constraints(properties));
  }

  @Override
  public StagedTable stageCreate(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stageCreate(id, columns, partitions, plain(properties), constraints(properties));
  }

  @Override
  public StagedTable stageReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stageReplace(id, columns, partitions, plain(properties), constraints(properties));
  }

  @Override
  public StagedTable stageCreateOrReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stageCreateOrReplace(
        id, columns, partitions, plain(properties), constraints(properties));
  }

  private static Map<String, String> plain(Map<String, String> properties) {
    Map<String, String> plain = new HashMap<>(properties);
    plain.remove(KeyClauses.PROPERTY);
    return plain;
  }

  private static List<TableConstraint> constraints(Map<String, String> properties) {
    String text = properties.get(KeyClauses.PROPERTY);
    return text == null ? List.of() : KeyClauses.read(text);
  }

  @Override
  TableConstraint added(TableChange change) {
    return null;
  }

  @Override
  public UnboundProcedure loadProcedure(Identifier id) {
    return new UnboundProcedure() { // and no bound one: Spark would ask that for its parameters
      @Override
      public String name() {
        return id.name();
      }

      @Override
      public String description() {
        return "Carries out a statement of laketop.";
      }

      @Override
      public BoundProcedure bind(StructType given) {
        return new EngineProcedure(given);
      }
    };
  }
}
