package io.unitycatalog.laketop;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import laketop.engine.DeltaLogs;
import laketop.engine.Dropped;
import laketop.engine.Folders;
import laketop.engine.JsonFiles;
import laketop.engine.Lake;
import laketop.engine.ListedFunction;
import laketop.engine.NameErrors;
import laketop.engine.Names;
import laketop.engine.Renames;
import laketop.engine.Samples;
import laketop.engine.SparkApi;
import org.apache.spark.sql.catalyst.analysis.NamespaceAlreadyExistsException;
import org.apache.spark.sql.catalyst.analysis.NoSuchFunctionException;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.catalyst.analysis.NonEmptyNamespaceException;
import org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException;
import org.apache.spark.sql.connector.catalog.CatalogV2Util;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.FunctionCatalog;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.NamespaceChange;
import org.apache.spark.sql.connector.catalog.SupportsNamespaces;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableCatalogCapability;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.catalog.V1Table;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * One catalog as a folder, on which Delta's own catalog class stands.
 *
 * <p>The package is part of the function: Delta takes its way for named catalogs, not the one for
 * Spark's session catalog, when the delegate's class name begins with {@code io.unitycatalog.}.
 */
public final class FolderCatalog implements TableCatalog, SupportsNamespaces, FunctionCatalog {
  public static final String MANAGED = "MANAGED";
  public static final String EXTERNAL = "EXTERNAL";

  /** The key of a table's properties that says which of these it is. */
  private static final String TYPE = "table_type";
  private static final String ZERO = "00000000000000000000.json";
  private static final List<String> EXTRAS = List.of("owners", "tags", "constraints", "policies");

  private String name;
  private Path folder;

  @Override
  public void initialize(String name, CaseInsensitiveStringMap options) {
    this.name = Names.key(name);
    this.folder = Lake.root().resolve(this.name);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String[] defaultNamespace() {
    return new String[] {"default"};
  }

  @Override
  public Set<TableCatalogCapability> capabilities() {
    return Set.of();
  }

  // ---- places

  public Path schemaFolder(String[] namespace) {
    return folder.resolve(Names.checked(namespace[namespace.length - 1]));
  }

  public Path tableFolder(Identifier id) {
    return schemaFolder(id.namespace()).resolve(Names.checked(id.name()));
  }

  /** Returns the JSON file of an entry: {@code kind} is tables, views, constraints, ... */
  public Path entry(String kind, Identifier id) {
    return schemaFolder(id.namespace())
        .resolve("_" + kind)
        .resolve(Names.checked(id.name()) + ".json");
  }

  /** Returns whether something of this name could be here at all. */
  public boolean possible(Identifier id) {
    return id.namespace().length == 1 && Names.valid(id.namespace()[0]) && Names.valid(id.name());
  }

  private static boolean isDelta(Path table) {
    Path log = table.resolve("_delta_log");
    return Files.exists(log.resolve(ZERO))
        || Folders.list(log).stream()
            .anyMatch(p -> p.getFileName().toString().matches("\\d{20}\\.(json|checkpoint.*)"));
  }

  // ---- tables

  @Override
  public Identifier[] listTables(String[] namespace) throws NoSuchNamespaceException {
    requireNamespace(namespace);
    Path schema = schemaFolder(namespace);
    Set<String> names = new TreeSet<>(JsonFiles.names(schema.resolve("_tables")));
    names.addAll(Samples.names(name, namespace[0]));
    for (Path path : Folders.list(schema)) {
      if (isDelta(path)) {
        names.add(path.getFileName().toString());
      }
    }
    return names.stream().map(n -> Identifier.of(namespace, n)).toArray(Identifier[]::new);
  }

  /** Returns the types of the tables that have an entry, by their names; others are managed. */
  public Map<String, String> registeredTypes(String[] namespace) {
    Path entries = schemaFolder(namespace).resolve("_tables");
    Map<String, String> types = new HashMap<>();
    for (String table : JsonFiles.names(entries)) {
      String type = JsonFiles.read(entries.resolve(table + ".json")).get(TYPE);
      types.put(table, type == null ? MANAGED : type);
    }
    return types;
  }

  @Override
  public boolean tableExists(Identifier id) {
    return possible(id)
        && (Files.exists(entry("tables", id))
            || isDelta(tableFolder(id))
            || Samples.names(name, id.namespace()[0]).contains(Names.key(id.name())));
  }

  @Override
  public Table loadTable(Identifier id) throws NoSuchTableException {
    if (!tableExists(id)) {
      throw NameErrors.noTable(name, id);
    }
    Samples.ensure(name, id);
    Map<String, String> properties = properties(id);
    String schema = properties.remove("schema");
    String partitions = properties.remove("partitions");
    StructType columns =
        schema == null ? new StructType() : (StructType) DataType.fromJson(schema);
    Identifier written = Identifier.of(id.namespace(), Names.key(id.name()));
    return new V1Table(SparkApi.table(this, written, columns, columns(partitions), properties));
  }

  /** Returns the columns of the partitions, of which none has a line's end in its name. */
  private static String columns(Transform[] partitions) {
    return Arrays.stream(partitions)
        .map(partition -> partition.references()[0].fieldNames()[0])
        .collect(Collectors.joining("\n"));
  }

  private static List<String> columns(String partitions) {
    return partitions == null || partitions.isEmpty()
        ? List.of()
        : List.of(partitions.split("\n"));
  }

  private Map<String, String> properties(Identifier id) {
    Map<String, String> properties = new HashMap<>(JsonFiles.look(entry("tables", id)));
    if (properties.isEmpty()) {
      properties.put(TableCatalog.PROP_LOCATION, Lake.location(tableFolder(id)));
      properties.put(PROP_PROVIDER, "delta");
      properties.put(TYPE, MANAGED);
    } else if (MANAGED.equals(properties.get(TYPE))) {
      Path place = place(id.namespace(), properties);
      properties.put(TableCatalog.PROP_LOCATION, Lake.location(place));
    }
    properties.put(TableCatalog.PROP_OWNER, owner(id));
    return properties;
  }

  /** Returns where a managed table that has an entry lies, wherever the state folder was then. */
  private Path place(String[] namespace, Map<String, String> entry) {
    String location = entry.get(TableCatalog.PROP_LOCATION);
    return schemaFolder(namespace).resolve(location.substring(location.lastIndexOf('/') + 1));
  }

  /** Returns whether the folder of this name is that of a table that has been renamed since. */
  public boolean holdsAnother(Identifier id) {
    Path entries = schemaFolder(id.namespace()).resolve("_tables");
    return JsonFiles.names(entries).stream()
        .map(table -> JsonFiles.read(entries.resolve(table + ".json")))
        .filter(entry -> MANAGED.equals(entry.get(TYPE)))
        .anyMatch(entry -> place(id.namespace(), entry).equals(tableFolder(id)));
  }

  /**
   * Returns what lists tell of a Delta table in its own folder, of which Delta would take a snapshot
   * for the comment; nothing for other tables, and where only a snapshot tells it.
   */
  public Optional<Map<String, String>> listed(Identifier id) {
    return metadata(id).map(metadata -> {
      Map<String, String> properties = properties(id);
      if (metadata.hasNonNull("description")) {
        properties.put(TableCatalog.PROP_COMMENT, metadata.path("description").asText());
      }
      return properties;
    });
  }

  /**
   * Returns Delta's metadata of a table in its own folder as its log tells it; nothing for other
   * tables, and where only a snapshot tells it.
   */
  public Optional<JsonNode> metadata(Identifier id) {
    return Files.exists(entry("tables", id))
        ? Optional.empty()
        : DeltaLogs.metadata(tableFolder(id));
  }

  private String owner(Identifier id) {
    String own = JsonFiles.look(entry("owners", id)).get("owner");
    Path schema = schemaFolder(id.namespace()).resolve("_schema.json");
    return own != null ? own : JsonFiles.look(schema).getOrDefault("owner", "");
  }

  /** Keeps a table that is not registered by a commit in its own folder: an external one. */
  @Override
  public Table createTable(
      Identifier id, Column[] columns, Transform[] partitions, Map<String, String> properties)
      throws TableAlreadyExistsException, NoSuchNamespaceException {
    boolean delta = "delta".equalsIgnoreCase(properties.getOrDefault(PROP_PROVIDER, "delta"));
    if (!delta || properties.containsKey(PROP_EXTERNAL)) {
      Map<String, String> entry = new HashMap<>(properties);
      entry.remove(PROP_EXTERNAL);
      entry.put(TYPE, EXTERNAL);
      if (!delta) {
        entry.put("schema", CatalogV2Util.v2ColumnsToStructType(columns).json());
        entry.put("partitions", columns(partitions));
      }
      JsonFiles.write(entry("tables", id), entry);
    }
    return created(id);
  }

  /** Delta still calls this deprecated form. */
  @Override
  public Table createTable(
      Identifier id, StructType schema, Transform[] partitions, Map<String, String> properties)
      throws TableAlreadyExistsException, NoSuchNamespaceException {
    Column[] columns = SparkApi.columns(schema);
    return createTable(id, columns, partitions, properties);
  }

  private Table created(Identifier id) {
    try {
      return loadTable(id);
    } catch (NoSuchTableException e) {
      throw Lake.sneak(e);
    }
  }

  @Override
  public Table alterTable(Identifier id, TableChange... changes) throws NoSuchTableException {
    return loadTable(id);
  }

  /** Drops a table; a managed one of Delta can be brought back for some days. */
  @Override
  public boolean dropTable(Identifier id) {
    if (!tableExists(id) || Files.exists(entry("tables", id)) || !isDelta(tableFolder(id))) {
      return removeTable(id);
    }
    Dropped.keep(full(id), tableFolder(id), owner(id));
    forgetExtras(id);
    return true;
  }

  /** Returns catalog, schema and name. */
  public String[] full(Identifier id) {
    return new String[] {name, Names.key(id.namespace()[0]), Names.key(id.name())};
  }

  /** Drops a table for good. */
  public boolean removeTable(Identifier id) {
    if (!tableExists(id)) {
      return false;
    }
    Path file = entry("tables", id);
    Map<String, String> entry = JsonFiles.read(file);
    JsonFiles.delete(file);
    if (entry.isEmpty()) {
      Folders.discard(tableFolder(id));
    } else if (MANAGED.equals(entry.get(TYPE))) {
      Folders.discard(place(id.namespace(), entry));
    }
    forgetExtras(id);
    return true;
  }

  /** Forgets what lies beside a table that is gone, or what a kill has left of one. */
  public void forgetExtras(Identifier id) {
    EXTRAS.forEach(kind -> JsonFiles.delete(entry(kind, id)));
  }

  @Override
  public void renameTable(Identifier from, Identifier to)
      throws NoSuchTableException, TableAlreadyExistsException {
    if (!tableExists(from)) {
      throw NameErrors.noTable(name, from);
    }
    if (tableExists(to)) {
      throw NameErrors.tableTaken(name, to);
    }
    boolean apart = Files.exists(entry("tables", from));
    Path here = apart ? entry("tables", from) : tableFolder(from);
    Path there = apart ? entry("tables", to) : tableFolder(to);
    Renames.run("TABLE", full(from), full(to), here, there);
  }

  // ---- schemas

  @Override
  public String[][] listNamespaces() {
    return Folders.list(folder).stream()
        .filter(Files::isDirectory)
        .map(path -> path.getFileName().toString())
        .filter(schema -> !schema.startsWith("_") && !schema.startsWith("."))
        .map(schema -> new String[] {schema})
        .toArray(String[][]::new);
  }

  @Override
  public String[][] listNamespaces(String[] namespace) throws NoSuchNamespaceException {
    if (namespace.length == 0) {
      return listNamespaces();
    }
    if (!namespaceExists(namespace)) {
      throw NameErrors.noCatalog(namespace[0]); // SHOW SCHEMAS IN names one
    }
    return new String[0][];
  }

  @Override
  public boolean namespaceExists(String[] namespace) {
    return namespace.length == 1
        && Names.valid(namespace[0])
        && Files.isDirectory(schemaFolder(namespace));
  }

  private void requireNamespace(String[] namespace) throws NoSuchNamespaceException {
    if (!namespaceExists(namespace)) {
      throw NameErrors.noSchema(name, namespace);
    }
  }

  @Override
  public Map<String, String> loadNamespaceMetadata(String[] namespace)
      throws NoSuchNamespaceException {
    requireNamespace(namespace);
    Path schema = schemaFolder(namespace);
    Map<String, String> metadata = JsonFiles.read(schema.resolve("_schema.json"));
    metadata.putIfAbsent(SupportsNamespaces.PROP_LOCATION, Lake.location(schema));
    return metadata;
  }

  @Override
  public void createNamespace(String[] namespace, Map<String, String> metadata)
      throws NamespaceAlreadyExistsException {
    if (namespace.length != 1) {
      throw NameErrors.noCatalog(namespace[0]);
    }
    Names.checkedContainer(namespace[0]);
    if (!Files.isDirectory(folder)) {
      throw NameErrors.noCatalog(name);
    }
    if (namespaceExists(namespace)) {
      throw NameErrors.schemaTaken(name, namespace);
    }
    JsonFiles.write(schemaFolder(namespace).resolve("_schema.json"), metadata);
  }

  @Override
  public void alterNamespace(String[] namespace, NamespaceChange... changes)
      throws NoSuchNamespaceException {
    requireNamespace(namespace);
    Lake.change(schemaFolder(namespace).resolve("_schema.json"), metadata -> {
      for (NamespaceChange change : changes) {
        if (change instanceof NamespaceChange.SetProperty set) {
          metadata.put(set.property(), set.value());
        } else if (change instanceof NamespaceChange.RemoveProperty remove) {
          metadata.remove(remove.property());
        }
      }
    });
  }

  @Override
  public boolean dropNamespace(String[] namespace, boolean cascade)
      throws NoSuchNamespaceException, NonEmptyNamespaceException {
    requireNamespace(namespace);
    Path schema = schemaFolder(namespace);
    boolean empty = listTables(namespace).length == 0;
    for (String kind : List.of("_views", "_functions", "_volumes", "_prompts")) {
      empty &= JsonFiles.names(schema.resolve(kind)).isEmpty();
    }
    if (!cascade && !empty) {
      throw NameErrors.notEmpty(name, namespace);
    }
    Folders.discard(schema);
    return true;
  }

  // ---- functions: those of SQL, whose calls are resolved by a rule

  @Override
  public Identifier[] listFunctions(String[] namespace) {
    return JsonFiles.names(schemaFolder(namespace).resolve("_functions")).stream()
        .map(function -> Identifier.of(namespace, function))
        .toArray(Identifier[]::new);
  }

  @Override
  public UnboundFunction loadFunction(Identifier id) throws NoSuchFunctionException {
    if (!possible(id) || !Files.exists(entry("functions", id))) {
      throw new NoSuchFunctionException(id);
    }
    return new ListedFunction(Names.key(id.name()), null);
  }
}
