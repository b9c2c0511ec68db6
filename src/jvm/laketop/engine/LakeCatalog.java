package laketop.engine;

import io.unitycatalog.laketop.FolderCatalog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
import org.apache.spark.sql.connector.catalog.StagedTable;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.catalog.procedures.UnboundProcedure;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.delta.catalog.DeltaCatalog;
import org.apache.spark.sql.delta.constraints.AddConstraint;
import org.apache.spark.sql.delta.constraints.DropConstraint;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * Delta's catalog over a folder, with views, keys, procedures and privileges.
 *
 * <p>What Spark asks it for differs between its versions: {@code EngineCatalog} answers that.
 */
public abstract class LakeCatalog extends DeltaCatalog implements ProcedureCatalog {
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

  /** Plans, which errors show too, tell a catalog by this. */
  @Override
  public String toString() {
    return name();
  }

  // ---- creating tables

  @Override
  public Table createTable(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return createTable(id, columns, partitions, properties, List.of());
  }

  /** Returns the properties that a table made like this one has too. */
  static Map<String, String> copied(Table source) {
    Map<String, String> properties = new HashMap<>();
    source.properties().forEach((key, value) -> {
      if (key.matches("delta\\.(?!m|feature\\.).*")) {
        properties.put(key, value);
      }
    });
    return properties;
  }

  final Table createTable(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties,
      List<TableConstraint> constraints) {
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
  public StagedTable stageCreate(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stageCreate(id, columns, partitions, properties, List.of());
  }

  final StagedTable stageCreate(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties,
      List<TableConstraint> constraints) {
    return stage(id, columns, properties, constraints, false,
        placed -> super.stageCreate(id, columns, partitions, placed));
  }

  @Override
  public StagedTable stageReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stageReplace(id, columns, partitions, properties, List.of());
  }

  final StagedTable stageReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties,
      List<TableConstraint> constraints) {
    return stage(id, columns, properties, constraints, true,
        placed -> super.stageReplace(id, columns, partitions, placed));
  }

  @Override
  public StagedTable stageCreateOrReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    return stageCreateOrReplace(id, columns, partitions, properties, List.of());
  }

  final StagedTable stageCreateOrReplace(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties,
      List<TableConstraint> constraints) {
    return stage(id, columns, properties, constraints, true,
        placed -> super.stageCreateOrReplace(id, columns, partitions, placed));
  }

  private StagedTable stage(
      Identifier id, Column[] columns, Map<String, String> properties,
      List<TableConstraint> constraints, boolean replace, Function<Map<String, String>, StagedTable> make) {
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
  private void constrain(Identifier id, List<TableConstraint> constraints) {
    JsonFiles.delete(constraints(id));
    for (TableConstraint constraint : constraints) {
      if (constraint.check() != null) {
        TableChange change = new AddConstraint(constraint.name(), constraint.check());
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

  /** Returns the constraint that Spark asks to be added, or null for another change. */
  abstract TableConstraint added(TableChange change);

  private boolean keyChanged(Identifier id, TableChange change) {
    TableConstraint added = added(change);
    if (added != null && added.check() == null) {
      Constraints.add(constraints(id), added);
      return true;
    }
    return change instanceof DropConstraint drop
        && Constraints.remove(constraints(id), drop.constraintName());
  }

  @Override
  public boolean dropTable(Identifier id) {
    Access.table("MANAGE", name(), id);
    boolean dropped = super.dropTable(id);
    Grants.forget("TABLE", Access.object(name(), id));
    return dropped;
  }

  /** Drops a table that no UNDROP brings back. */
  @Override
  public boolean purgeTable(Identifier id) {
    Access.table("MANAGE", name(), id);
    boolean dropped = folder.removeTable(id);
    Grants.forget("TABLE", Access.object(name(), id));
    return dropped;
  }

  @Override
  public void renameTable(Identifier from, Identifier to) {
    Access.table("MANAGE", name(), from);
    Identifier target = target(to);
    Access.schema("CREATE TABLE", name(), target.namespace()[0]);
    try {
      if (viewExists(target)) {
        throw NameErrors.tableTaken(name(), target);
      }
      folder.renameTable(from, target);
    } catch (NoSuchTableException | TableAlreadyExistsException e) {
      throw Lake.sneak(e);
    }
  }

  /** Returns the new name without the catalog, which cannot be another one. */
  private Identifier target(Identifier to) {
    String[] namespace = to.namespace();
    if (namespace.length == 2 && Names.key(namespace[0]).equals(name())) {
      namespace = new String[] {namespace[1]};
    }
    if (!folder.namespaceExists(namespace)) {
      throw Lake.sneak(NameErrors.noSchema(name(), namespace));
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
    return tables(namespace);
  }

  /** Returns the tables of a schema, those that the user may know of. */
  final Identifier[] tables(String[] namespace) throws NoSuchNamespaceException {
    return InformationSchema.is(namespace)
        ? InformationSchema.tables()
        : seen("TABLE", super.listTables(namespace));
  }

  /** Returns the tables and views of a schema, those that the user may know of. */
  final List<Identifier> relations(String schema) throws NoSuchNamespaceException {
    String[] namespace = {schema};
    List<Identifier> all = new ArrayList<>(List.of(tables(namespace)));
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
      return listed.isPresent()
          ? listed
          : Optional.of(viewExists(id) ? view(id).properties() : table(id).properties());
    } catch (NoSuchTableException | NoSuchViewException e) {
      return Optional.empty();
    }
  }

  /** Returns the columns of a table or view; nothing of one that was dropped meanwhile. */
  Optional<InformationColumns> columns(Identifier id) {
    Optional<InformationColumns> listed = InformationSchema.holds(id)
        ? Optional.empty()
        : folder.metadata(id).map(InformationColumns::of);
    try {
      return listed.isPresent() ? listed : Optional.of(viewExists(id)
          ? InformationColumns.of(view(id))
          : InformationColumns.of(table(id)));
    } catch (NoSuchTableException | NoSuchViewException e) {
      return Optional.empty();
    }
  }

  /** Tells Java what Delta's catalog, which is not Java, throws. */
  private Table table(Identifier id) throws NoSuchTableException {
    return loadTable(id);
  }

  /** Returns the types of a schema's tables by their names, where they are not managed ones. */
  final Map<String, String> types(String[] namespace) {
    return InformationSchema.is(namespace) ? Map.of() : folder.registeredTypes(namespace);
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
    if (!namespaceExists(namespace)) {
      Grants.forgetAll(name() + "." + Names.key(namespace[0])); // when a kill left them
    }
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
    Grants.forgetAll(name() + "." + Names.key(namespace[0]));
    Functions.forget(Sessions.active(), name() + "." + Names.key(namespace[0]));
    return dropped;
  }

  // ---- views

  public boolean viewExists(Identifier id) {
    return folder.possible(id) && Files.exists(folder.entry("views", id));
  }

  final LakeView view(Identifier id) throws NoSuchViewException {
    if (!viewExists(id)) {
      throw NameErrors.noView(name(), id);
    }
    return Views.read(folder.entry("views", id));
  }

  public Identifier[] listViews(String[] namespace) throws NoSuchNamespaceException {
    if (!namespaceExists(namespace)) {
      throw NameErrors.noSchema(name(), namespace);
    }
    if (InformationSchema.is(namespace)) {
      return new Identifier[0];
    }
    return seen("TABLE",
        JsonFiles.names(folder.schemaFolder(namespace).resolve("_views")).stream()
            .map(name -> Identifier.of(namespace, name))
            .toArray(Identifier[]::new));
  }

  final void makeView(Identifier id, LakeView view)
      throws ViewAlreadyExistsException, NoSuchNamespaceException {
    if (!namespaceExists(id.namespace())) {
      throw NameErrors.noSchema(name(), id.namespace());
    }
    requireNew(id);
    Access.schema("CREATE TABLE", name(), id.namespace()[0]);
    folder.forgetExtras(id); // of one of this name, when a kill left them
    Grants.forget("TABLE", Access.object(name(), id));
    Views.write(folder.entry("views", id), view, Sessions.user());
  }

  private void requireNew(Identifier id) throws ViewAlreadyExistsException {
    Names.checked(id.name());
    if (viewExists(id) || tableExists(id)) {
      throw NameErrors.viewTaken(name(), id);
    }
  }

  final void changeView(Identifier id, LakeView view) throws NoSuchViewException {
    String owner = view(id).properties().get("owner");
    Access.table("MANAGE", name(), id);
    Views.write(folder.entry("views", id), view, owner);
  }

  public boolean dropView(Identifier id) {
    if (!viewExists(id)) {
      return false;
    }
    Access.table("MANAGE", name(), id);
    JsonFiles.delete(folder.entry("views", id));
    JsonFiles.delete(folder.entry("tags", id));
    Grants.forget("TABLE", Access.object(name(), id));
    return true;
  }

  public void renameView(Identifier from, Identifier to)
      throws NoSuchViewException, ViewAlreadyExistsException {
    view(from);
    Identifier target = target(to);
    requireNew(target);
    Access.table("MANAGE", name(), from);
    Access.schema("CREATE TABLE", name(), target.namespace()[0]);
    Renames.run("TABLE", folder.full(from), folder.full(target),
        folder.entry("views", from), folder.entry("views", target));
  }

  // ---- procedures: how the parser hands over the statements that Spark's grammar lacks

  @Override
  public UnboundProcedure loadProcedure(Identifier id) {
    return new Procedure();
  }

  /** Only some versions of Spark ask. */
  public Identifier[] listProcedures(String[] namespace) {
    return new Identifier[0];
  }
}
