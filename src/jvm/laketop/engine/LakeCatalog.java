package laketop.engine;

import io.unitycatalog.laketop.FolderCatalog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.analysis.NamespaceAlreadyExistsException;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.catalyst.analysis.NoSuchViewException;
import org.apache.spark.sql.catalyst.analysis.NonEmptyNamespaceException;
import org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException;
import org.apache.spark.sql.catalyst.analysis.ViewAlreadyExistsException;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.NamespaceChange;
import org.apache.spark.sql.connector.catalog.ProcedureCatalog;
import org.apache.spark.sql.connector.catalog.Relation;
import org.apache.spark.sql.connector.catalog.RelationCatalog;
import org.apache.spark.sql.connector.catalog.StagedTable;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableCatalogCapability;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.catalog.TableInfo;
import org.apache.spark.sql.connector.catalog.TableSummary;
import org.apache.spark.sql.connector.catalog.View;
import org.apache.spark.sql.connector.catalog.constraints.Check;
import org.apache.spark.sql.connector.catalog.constraints.Constraint;
import org.apache.spark.sql.connector.catalog.procedures.UnboundProcedure;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.delta.catalog.DeltaCatalog;
import org.apache.spark.sql.delta.constraints.AddConstraint;
import org.apache.spark.sql.delta.constraints.DropConstraint;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** Delta's catalog over a folder, with views, keys, procedures and privileges. */
public final class LakeCatalog extends DeltaCatalog implements RelationCatalog, ProcedureCatalog {
  private static final Constraint[] NONE = {};
  private final FolderCatalog folder = new FolderCatalog();

  @Override
  public void initialize(String name, CaseInsensitiveStringMap options) {
    Map<String, String> all = new HashMap<>(options.asCaseSensitiveMap());
    all.put("deltaRestApi.enabled", "false");
    CaseInsensitiveStringMap map = new CaseInsensitiveStringMap(all);
    folder.initialize(name, map);
    super.initialize(Names.key(name), map);
    setDelegateCatalog(folder);
  }

  @Override
  public Set<TableCatalogCapability> capabilities() {
    Set<TableCatalogCapability> all = new HashSet<>(super.capabilities());
    all.add(TableCatalogCapability.SUPPORT_TABLE_CONSTRAINT);
    return all;
  }

  /** Returns whether the name is that of files, as in delta.`/Volumes/main/raw/in/orders`. */
  @Override
  public boolean isPathIdentifier(Identifier id) {
    return id.namespace().length == 1
        && id.namespace()[0].equalsIgnoreCase("delta")
        && (id.name().startsWith("/") || id.name().contains(":/"));
  }

  Path constraints(Identifier id) {
    return folder.entry("constraints", id);
  }

  // ---- creating tables

  @Override
  public Table createTable(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return create(id, columns, partitions, properties, NONE);
  }

  @Override
  public Table createTable(Identifier id, TableInfo info) {
    return create(id, info.columns(), info.partitions(), info.properties(), info.constraints());
  }

  /** Delta's own looks the source up in Spark's session catalog. */
  @Override
  public Table createTableLike(Identifier id, TableInfo info, Table source) {
    Map<String, String> properties = new HashMap<>();
    source.properties().forEach((key, value) -> {
      if (key.matches("delta\\.(?!m|feature\\.).*")) {
        properties.put(key, value);
      }
    });
    properties.putAll(info.properties());
    return createTable(id, info.columns(), info.partitions(), properties);
  }

  private Table create(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties,
      Constraint[] constraints) {
    if (isPathIdentifier(id)) {
      requireOpen(properties);
      return super.createTable(id, columns, partitions, properties);
    }
    try (Creation creation = Creation.begin(folder, id, false)) {
      Table table = super.createTable(id, columns, partitions, creation.placed(properties, columns));
      creation.commit(() -> constrain(id, constraints));
      return table;
    }
  }

  @Override
  public StagedTable stageCreate(Identifier id, TableInfo info) {
    return stage(id, info.columns(), info.properties(), info.constraints(), false,
        placed -> super.stageCreate(id, info.columns(), info.partitions(), placed));
  }

  @Override
  public StagedTable stageCreate(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stage(id, columns, properties, NONE, false,
        placed -> super.stageCreate(id, columns, partitions, placed));
  }

  @Override
  public StagedTable stageReplace(Identifier id, TableInfo info) {
    return stage(id, info.columns(), info.properties(), info.constraints(), true,
        placed -> super.stageReplace(id, info.columns(), info.partitions(), placed));
  }

  @Override
  public StagedTable stageReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stage(id, columns, properties, NONE, true,
        placed -> super.stageReplace(id, columns, partitions, placed));
  }

  @Override
  public StagedTable stageCreateOrReplace(Identifier id, TableInfo info) {
    return stage(id, info.columns(), info.properties(), info.constraints(), true,
        placed -> super.stageCreateOrReplace(id, info.columns(), info.partitions(), placed));
  }

  @Override
  public StagedTable stageCreateOrReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stage(id, columns, properties, NONE, true,
        placed -> super.stageCreateOrReplace(id, columns, partitions, placed));
  }

  private StagedTable stage(
      Identifier id, Column[] columns, Map<String, String> properties, Constraint[] constraints,
      boolean replace, Function<Map<String, String>, StagedTable> make) {
    if (isPathIdentifier(id)) {
      requireOpen(properties);
      return make.apply(properties);
    }
    requireDelta(id, properties);
    Creation creation = Creation.begin(folder, id, replace);
    try {
      StagedTable table = make.apply(creation.placed(properties, columns));
      return new Staged(table, creation, () -> constrain(id, constraints));
    } catch (Throwable e) {
      creation.close();
      throw e;
    }
  }

  /** Spark writes what is replaced, and what is made of a query, by ways that Delta alone has. */
  private static void requireDelta(Identifier id, Map<String, String> properties) {
    String provider = properties.getOrDefault(TableCatalog.PROP_PROVIDER, "delta");
    if (!provider.equalsIgnoreCase("delta")) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "REPLACE TABLE and CREATE TABLE ... AS SELECT make"
          + " tables of Delta, not of " + provider + ": create `" + id.name()
          + "` with its columns and LOCATION, then INSERT INTO it.");
    }
  }

  private static void requireOpen(Map<String, String> properties) {
    if (properties.containsKey(PolicyClauses.PROPERTY)) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "Row filters and column masks are of tables with a name, not of paths.");
    }
  }

  /** Gives a new table its constraints; those of the table that it replaced are gone. */
  private void constrain(Identifier id, Constraint[] constraints) {
    JsonFiles.delete(constraints(id));
    for (Constraint constraint : constraints) {
      if (constraint instanceof Check check) {
        TableChange change = new AddConstraint(check.name(), check.predicateSql());
        super.alterTable(id, new TableChange[] {change});
      } else {
        Constraints.add(constraints(id), constraint);
      }
    }
  }

  // ---- tables

  @Override
  public Table loadTable(Identifier id) {
    return InformationSchema.holds(id)
        ? InformationSchema.table(this, id)
        : super.loadTable(id);
  }

  @Override
  public boolean tableExists(Identifier id) {
    return super.tableExists(id);
  }

  @Override
  public Table alterTable(Identifier id, TableChange... changes) {
    Access.table("MODIFY", name(), id);
    Policies policies = isPathIdentifier(id)
        ? Policies.NONE
        : Policies.of(Access.object(name(), id).split("\\."));
    Arrays.stream(changes).forEach(policies::requireKept);
    Arrays.stream(changes).forEach(LakeCatalog::requireStays);
    List<TableChange> rest = new ArrayList<>(Arrays.asList(changes));
    rest.removeIf(change -> keyChanged(id, change));
    if (rest.isEmpty()) {
      return loadTable(id);
    }
    Table altered = super.alterTable(id, rest.toArray(TableChange[]::new));
    if (!isPathIdentifier(id)) {
      rest.forEach(change -> Tags.follow(Access.object(name(), id).split("\\."), change));
    }
    return altered;
  }

  private static void requireStays(TableChange change) {
    if (change instanceof TableChange.SetProperty set
        && set.property().equals(TableCatalog.PROP_LOCATION)) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "ALTER TABLE ... SET LOCATION is not supported; create"
          + " an external table at the new place.");
    }
  }

  private boolean keyChanged(Identifier id, TableChange change) {
    if (change instanceof TableChange.AddConstraint add && !(add.constraint() instanceof Check)) {
      Constraints.add(constraints(id), add.constraint());
      return true;
    }
    return change instanceof DropConstraint drop
        && Constraints.remove(constraints(id), drop.constraintName());
  }

  @Override
  public boolean dropTable(Identifier id) {
    Access.table("MANAGE", name(), id);
    boolean dropped = super.dropTable(id);
    Grants.forget(Access.object(name(), id));
    return dropped;
  }

  /** Drops a table that no UNDROP brings back. */
  @Override
  public boolean purgeTable(Identifier id) {
    Access.table("MANAGE", name(), id);
    boolean dropped = folder.removeTable(id);
    Grants.forget(Access.object(name(), id));
    return dropped;
  }

  @Override
  public void renameTable(Identifier from, Identifier to) {
    Access.table("MANAGE", name(), from);
    Identifier target = target(to);
    Access.schema("CREATE TABLE", name(), target.namespace()[0]);
    try {
      if (viewExists(target)) {
        throw new TableAlreadyExistsException(target);
      }
      folder.renameTable(from, target);
    } catch (NoSuchTableException | TableAlreadyExistsException e) {
      throw Lake.sneak(e);
    }
    Grants.rename(Access.object(name(), from), Access.object(name(), target));
  }

  /** Returns the new name without the catalog, which cannot be another one. */
  private Identifier target(Identifier to) {
    String[] namespace = to.namespace();
    if (namespace.length == 2 && Names.key(namespace[0]).equals(name())) {
      namespace = new String[] {namespace[1]};
    }
    if (!folder.namespaceExists(namespace)) {
      throw Lake.sneak(new NoSuchNamespaceException(namespace));
    }
    return Identifier.of(namespace, to.name());
  }

  // ---- schemas

  @Override
  public boolean namespaceExists(String[] namespace) {
    return InformationSchema.is(namespace) || super.namespaceExists(namespace);
  }

  /** Returns the schemas that are folders. */
  String[][] folders() {
    return folder.listNamespaces();
  }

  @Override
  public String[][] listNamespaces() {
    String user = Sessions.user();
    String[][] folders = JsonFiles.once(() -> Arrays.stream(folders())
        .filter(schema -> Access.sees(user, "SCHEMA", name() + "." + schema[0]))
        .toArray(String[][]::new));
    String[][] all = Arrays.copyOf(folders, folders.length + 1);
    all[folders.length] = InformationSchema.namespace();
    return all;
  }

  @Override
  public String[][] listNamespaces(String[] namespace) throws NoSuchNamespaceException {
    return namespace.length == 0 ? listNamespaces() : super.listNamespaces(namespace);
  }

  @Override
  public Map<String, String> loadNamespaceMetadata(String[] namespace)
      throws NoSuchNamespaceException {
    return InformationSchema.is(namespace)
        ? new HashMap<>(Map.of("owner", Users.ENGINE, "comment", "What is in the catalog."))
        : super.loadNamespaceMetadata(namespace);
  }

  @Override
  public Identifier[] listTables(String[] namespace) throws NoSuchNamespaceException {
    return InformationSchema.is(namespace)
        ? InformationSchema.tables()
        : seen("TABLE", super.listTables(namespace));
  }

  /** Returns the tables and views of a schema, those that the user may know of. */
  List<Identifier> relations(String schema) throws NoSuchNamespaceException {
    String[] namespace = {schema};
    List<Identifier> all = new ArrayList<>(List.of(listTables(namespace)));
    all.addAll(List.of(listViews(namespace)));
    return all;
  }

  /**
   * Returns what lists tell of a table or view: owner, comment, provider, location, external;
   * nothing of one that was dropped while the list was made.
   */
  Optional<Map<String, String>> told(Identifier id) {
    Optional<Map<String, String>> listed =
        InformationSchema.holds(id) ? Optional.empty() : folder.listed(id);
    try {
      return listed.isPresent() ? listed : Optional.of(told(loadRelation(id)));
    } catch (NoSuchTableException e) {
      return Optional.empty();
    }
  }

  /** Returns the columns of a table or view; nothing of one that was dropped meanwhile. */
  Optional<InformationColumns> columns(Identifier id) {
    Optional<InformationColumns> listed = InformationSchema.holds(id)
        ? Optional.empty()
        : folder.metadata(id).map(InformationColumns::of);
    try {
      return listed.isPresent() ? listed : Optional.of(InformationColumns.of(loadRelation(id)));
    } catch (NoSuchTableException e) {
      return Optional.empty();
    }
  }

  private static Map<String, String> told(Relation relation) {
    return relation instanceof View view ? view.properties() : ((Table) relation).properties();
  }

  /** Spark's own loads every table to learn its type. */
  @Override
  public TableSummary[] listTableSummaries(String[] namespace) throws NoSuchNamespaceException {
    Map<String, String> types =
        InformationSchema.is(namespace) ? Map.of() : folder.registeredTypes(namespace);
    return Arrays.stream(listTables(namespace))
        .map(id -> TableSummary.of(
            id, types.getOrDefault(Names.key(id.name()), TableSummary.MANAGED_TABLE_TYPE)))
        .toArray(TableSummary[]::new);
  }

  /** Returns those that the user may know of. */
  private Identifier[] seen(String type, Identifier[] all) {
    String user = Sessions.user();
    return Users.isAdmin(user) ? all : JsonFiles.once(() -> Arrays.stream(all)
        .filter(id -> Access.sees(user, type, Access.object(name(), id)))
        .toArray(Identifier[]::new));
  }

  @Override
  public Identifier[] listFunctions(String[] namespace) throws NoSuchNamespaceException {
    return seen("FUNCTION", super.listFunctions(namespace));
  }

  @Override
  public void createNamespace(String[] namespace, Map<String, String> metadata)
      throws NamespaceAlreadyExistsException {
    Access.require("CREATE SCHEMA", "CATALOG", name());
    Map<String, String> owned = new HashMap<>(metadata);
    owned.put("owner", Sessions.user());
    super.createNamespace(namespace, owned);
  }

  @Override
  public void alterNamespace(String[] namespace, NamespaceChange... changes)
      throws NoSuchNamespaceException {
    Access.schema("MANAGE", name(), namespace[0]);
    super.alterNamespace(namespace, changes);
  }

  @Override
  public boolean dropNamespace(String[] namespace, boolean cascade)
      throws NoSuchNamespaceException, NonEmptyNamespaceException {
    Access.schema("MANAGE", name(), namespace[0]);
    boolean dropped = super.dropNamespace(namespace, cascade);
    Dropped.forget(name() + "." + Names.key(namespace[0]));
    Grants.forget(name() + "." + Names.key(namespace[0]));
    Functions.forget(Sessions.active(), name() + "." + Names.key(namespace[0]));
    return dropped;
  }

  // ---- views

  @Override
  public Relation loadRelation(Identifier id) throws NoSuchTableException {
    return viewExists(id) ? Views.read(folder.entry("views", id)) : loadTable(id);
  }

  @Override
  public boolean viewExists(Identifier id) {
    return folder.possible(id) && Files.exists(folder.entry("views", id));
  }

  @Override
  public View loadView(Identifier id) throws NoSuchViewException {
    if (!viewExists(id)) {
      throw new NoSuchViewException(id);
    }
    return Views.read(folder.entry("views", id));
  }

  @Override
  public Identifier[] listViews(String[] namespace) throws NoSuchNamespaceException {
    if (!namespaceExists(namespace)) {
      throw new NoSuchNamespaceException(namespace);
    }
    if (InformationSchema.is(namespace)) {
      return new Identifier[0];
    }
    return seen("TABLE",
        JsonFiles.names(folder.schemaFolder(namespace).resolve("_views")).stream()
            .map(name -> Identifier.of(namespace, name))
            .toArray(Identifier[]::new));
  }

  @Override
  public View createView(Identifier id, View view)
      throws ViewAlreadyExistsException, NoSuchNamespaceException {
    if (!namespaceExists(id.namespace())) {
      throw new NoSuchNamespaceException(id.namespace());
    }
    requireNew(id);
    Access.schema("CREATE TABLE", name(), id.namespace()[0]);
    return Views.write(folder.entry("views", id), view, Sessions.user());
  }

  private void requireNew(Identifier id) throws ViewAlreadyExistsException {
    Names.checked(id.name());
    if (viewExists(id) || tableExists(id)) {
      throw new ViewAlreadyExistsException(id);
    }
  }

  @Override
  public View replaceView(Identifier id, View view) throws NoSuchViewException {
    String owner = loadView(id).properties().get("owner");
    Access.table("MANAGE", name(), id);
    return Views.write(folder.entry("views", id), view, owner);
  }

  @Override
  public boolean dropView(Identifier id) {
    if (!viewExists(id)) {
      return false;
    }
    Access.table("MANAGE", name(), id);
    JsonFiles.delete(folder.entry("views", id));
    JsonFiles.delete(folder.entry("tags", id));
    Grants.forget(Access.object(name(), id));
    return true;
  }

  @Override
  public void renameView(Identifier from, Identifier to)
      throws NoSuchViewException, ViewAlreadyExistsException {
    loadView(from);
    Identifier target = target(to);
    requireNew(target);
    Access.table("MANAGE", name(), from);
    Access.schema("CREATE TABLE", name(), target.namespace()[0]);
    JsonFiles.move(folder.entry("views", from), folder.entry("views", target));
    JsonFiles.move(folder.entry("tags", from), folder.entry("tags", target));
    Grants.rename(Access.object(name(), from), Access.object(name(), target));
  }

  // ---- procedures: how the parser hands over the statements that Spark's grammar lacks

  @Override
  public UnboundProcedure loadProcedure(Identifier id) {
    return new Procedure();
  }

  @Override
  public Identifier[] listProcedures(String[] namespace) {
    return new Identifier[0];
  }
}
