package laketop.engine;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.catalyst.analysis.NoSuchViewException;
import org.apache.spark.sql.catalyst.analysis.ViewAlreadyExistsException;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Relation;
import org.apache.spark.sql.connector.catalog.RelationCatalog;
import org.apache.spark.sql.connector.catalog.StagedTable;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalogCapability;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.catalog.TableInfo;
import org.apache.spark.sql.connector.catalog.TableSummary;
import org.apache.spark.sql.connector.catalog.TableWritePrivilege;
import org.apache.spark.sql.connector.catalog.View;
import org.apache.spark.sql.connector.catalog.constraints.Check;
import org.apache.spark.sql.connector.catalog.constraints.Constraint;

/** The catalog as this version of Spark asks for it, which knows views and constraints itself. */
public final class EngineCatalog extends LakeCatalog implements RelationCatalog {
  @Override
  public Set<TableCatalogCapability> capabilities() {
    Set<TableCatalogCapability> all = new HashSet<>(super.capabilities());
    all.add(TableCatalogCapability.SUPPORT_TABLE_CONSTRAINT);
    return all;
  }

  // ---- tables

  @Override
  public Table loadTable(Identifier id) {
    return super.loadTable(id);
  }

  /** Spark asks so for what it writes to, where a view would not be found. */
  @Override
  public Table loadTable(Identifier id, Set<TableWritePrivilege> writes)
      throws NoSuchTableException {
    requireTable(id, "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", view -> "'" + writes.stream()
        .map(Object::toString).sorted().collect(Collectors.joining(", "))
        + "' expects a table but " + view + " is a view.");
    return super.loadTable(id, writes);
  }

  @Override
  public Table loadTable(Identifier id, String version) {
    requireHistory(id);
    return super.loadTable(id, version);
  }

  @Override
  public Table loadTable(Identifier id, long timestamp) {
    requireHistory(id);
    return super.loadTable(id, timestamp);
  }

  private void requireHistory(Identifier id) {
    requireTable(id, "UNSUPPORTED_FEATURE.TIME_TRAVEL",
        view -> "The feature is not supported: Time travel on the relation: " + view + ".");
  }

  /** Refuses, to those who may read a view, what only a table can do. */
  private void requireTable(Identifier id, String condition, UnaryOperator<String> sentence) {
    if (viewExists(id)) {
      Access.table("SELECT", name(), id);
      throw Refusal.of(condition, sentence.apply(NameErrors.quoted(name(), id)));
    }
  }

  @Override
  public boolean tableExists(Identifier id) {
    return super.tableExists(id);
  }

  @Override
  public Table createTable(Identifier id, TableInfo info) {
    return createTable(
        id, info.columns(), info.partitions(), info.properties(), told(info.constraints()));
  }

  /** Delta's own looks the source up in Spark's session catalog. */
  @Override
  public Table createTableLike(Identifier id, TableInfo info, Table source) {
    Map<String, String> properties = new HashMap<>(copied(source));
    properties.putAll(info.properties());
    return createTable(id, info.columns(), info.partitions(), properties);
  }

  @Override
  public StagedTable stageCreate(Identifier id, TableInfo info) {
    return stageCreate(
        id, info.columns(), info.partitions(), info.properties(), told(info.constraints()));
  }

  @Override
  public StagedTable stageReplace(Identifier id, TableInfo info) {
    return stageReplace(
        id, info.columns(), info.partitions(), info.properties(), told(info.constraints()));
  }

  @Override
  public StagedTable stageCreateOrReplace(Identifier id, TableInfo info) {
    return stageCreateOrReplace(
        id, info.columns(), info.partitions(), info.properties(), told(info.constraints()));
  }

  private static List<TableConstraint> told(Constraint[] constraints) {
    return Arrays.stream(constraints).map(EngineCatalog::told).toList();
  }

  private static TableConstraint told(Constraint constraint) {
    String check = constraint instanceof Check condition ? condition.predicateSql() : null;
    return new TableConstraint(constraint.name(), constraint.toDDL(), check);
  }

  @Override
  TableConstraint added(TableChange change) {
    return change instanceof TableChange.AddConstraint add ? told(add.constraint()) : null;
  }

  /** Spark's own loads every table to learn its type. */
  @Override
  public TableSummary[] listTableSummaries(String[] namespace) throws NoSuchNamespaceException {
    Map<String, String> types = types(namespace);
    return Arrays.stream(listTables(namespace))
        .map(id -> TableSummary.of(
            id, types.getOrDefault(Names.key(id.name()), TableSummary.MANAGED_TABLE_TYPE)))
        .toArray(TableSummary[]::new);
  }

  // ---- views

  @Override
  public Relation loadRelation(Identifier id) throws NoSuchTableException {
    try {
      return viewExists(id) ? loadView(id) : loadTable(id);
    } catch (NoSuchViewException e) {
      throw NameErrors.noTable(name(), id); // it was dropped a moment ago
    }
  }

  @Override
  public boolean viewExists(Identifier id) {
    return super.viewExists(id);
  }

  @Override
  public View loadView(Identifier id) throws NoSuchViewException {
    LakeView view = view(id);
    return new View.Builder()
        .withSchema(view.schema())
        .withProperties(view.properties())
        .withQueryText(view.query())
        .withCurrentCatalog(view.catalog())
        .withCurrentNamespace(view.namespace())
        .withSqlConfigs(view.configs())
        .withSchemaMode(view.mode())
        .withQueryColumnNames(view.columns())
        .build();
  }

  private static LakeView kept(View view) {
    return new LakeView(view.schema(), view.properties(), view.queryText(), view.currentCatalog(),
        view.currentNamespace(), view.sqlConfigs(), view.schemaMode(), view.queryColumnNames());
  }

  @Override
  public View createView(Identifier id, View view)
      throws ViewAlreadyExistsException, NoSuchNamespaceException {
    makeView(id, kept(view));
    return view;
  }

  @Override
  public View replaceView(Identifier id, View view) throws NoSuchViewException {
    changeView(id, kept(view));
    return view;
  }
}
