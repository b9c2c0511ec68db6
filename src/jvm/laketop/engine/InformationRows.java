package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.catalyst.analysis.NoSuchViewException;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.TableCatalog;

/** The rows of one table of information_schema, over some catalogs, as the user may see them. */
final class InformationRows {
  private static final long MICROS = 1000;
  private final SparkSession session;
  private final String user;
  private final List<Object[]> rows = new ArrayList<>();

  private InformationRows(SparkSession session) {
    this.session = session;
    this.user = Sessions.user(session);
  }

  /** Returns the rows of a table as they are now, as the user of the session may see them. */
  static List<Object[]> of(SparkSession session, Set<String> catalogs, String table) {
    return session.withActive(() -> {
      try {
        return JsonFiles.once(() -> new InformationRows(session).all(catalogs, table));
      } catch (Exception e) {
        throw Lake.sneak(e);
      }
    });
  }

  private List<Object[]> all(Set<String> catalogs, String table) throws Exception {
    for (String name : catalogs) {
      if (session.sessionState().catalogManager().catalog(name) instanceof LakeCatalog catalog
          && sees("CATALOG", name)) {
        catalog(table, catalog);
      }
    }
    return rows;
  }

  private boolean sees(String type, String object) {
    return Access.sees(user, type, object);
  }

  private void catalog(String table, LakeCatalog catalog) throws Exception {
    String name = catalog.name();
    Path folder = Lake.catalog(name);
    switch (table) {
      case "catalogs" -> {
        Map<String, String> entry = JsonFiles.read(Lake.catalogFile(folder));
        add(name, entry.get("owner"), entry.get("comment"), audit(Lake.catalogFile(folder)));
      }
      case "catalog_privileges" -> grants("CATALOG", name);
      case "catalog_tags" -> tags(folder.resolve("_tags.json"), false, name);
      default -> {
        for (String[] namespace : catalog.folders()) {
          if (sees("SCHEMA", name + "." + namespace[0])) {
            schema(table, catalog, namespace[0]);
          }
        }
      }
    }
  }

  private void schema(String table, LakeCatalog catalog, String schema) throws Exception {
    String object = catalog.name() + "." + schema;
    Path folder = Lake.schema(catalog.name(), schema);
    Path file = Lake.schemaFile(folder);
    switch (table) {
      case "schemata" -> {
        Map<String, String> entry = JsonFiles.read(file);
        add(catalog.name(), schema, entry.get("owner"), entry.get("comment"), audit(file));
      }
      case "schema_privileges" -> grants("SCHEMA", object);
      case "schema_tags" -> tags(folder.resolve("_tags.json"), false, catalog.name(), schema);
      case "volumes", "volume_privileges", "volume_tags" -> {
        for (String volume : JsonFiles.names(folder.resolve("_volumes"))) {
          volume(table, new String[] {catalog.name(), schema, volume});
        }
      }
      case "routines", "parameters", "routine_privileges" -> {
        for (String routine : JsonFiles.names(folder.resolve("_functions"))) {
          routine(table, new String[] {catalog.name(), schema, routine});
        }
      }
      default -> relations(table, catalog, schema);
    }
  }

  private void volume(String table, String[] name) {
    if (!sees("VOLUME", String.join(".", name))) {
      return;
    }
    Path file = Lake.entry("volumes", name);
    Map<String, String> entry = JsonFiles.read(file);
    switch (table) {
      case "volumes" -> add(name, VolumeStatements.type(entry), entry.get("owner"),
          entry.get("comment"), audit(file), VolumeStatements.place(entry, name));
      case "volume_tags" -> tags(Lake.entry("tags", name), false, name);
      default -> grants("VOLUME", String.join(".", name));
    }
  }

  private void routine(String table, String[] name) {
    if (!sees("FUNCTION", String.join(".", name))) {
      return;
    }
    if (table.equals("routine_privileges")) {
      grants("FUNCTION", String.join(".", name));
      return;
    }
    try {
      Routine routine = Routine.read(session, name);
      if (table.equals("parameters")) {
        routine.parameters().forEach(row -> add(name, row));
      } else {
        add(name, name, routine.row(), audit(Lake.entry("functions", name)));
      }
    } catch (Exception e) {
      if (!(e instanceof SparkThrowable || e instanceof NumberFormatException)) {
        throw Lake.sneak(e);
      } // else its text was sent over REST and is none of SQL, which a call of it tells
    }
  }

  private void relations(String table, LakeCatalog catalog, String schema) throws Exception {
    String[] namespace = {schema};
    List<Identifier> ids = new ArrayList<>(List.of(catalog.listViews(namespace)));
    if (!table.equals("views")) {
      ids.addAll(0, List.of(catalog.tables(namespace)));
    }
    for (Identifier id : ids) {
      if (sees("TABLE", Access.object(catalog.name(), id))) {
        relation(table, catalog, id);
      }
    }
  }

  private void relation(String table, LakeCatalog catalog, Identifier id) {
    String[] name = {catalog.name(), id.namespace()[0], id.name()};
    switch (table) {
      case "table_privileges" -> grants("TABLE", String.join(".", name));
      case "table_tags" -> tags(Lake.entry("tags", name), false, name);
      case "column_tags" -> tags(Lake.entry("tags", name), true, name);
      case "row_filters" -> Policies.of(name).filterRows().forEach(row -> add(name, row));
      case "column_masks" -> Policies.of(name).maskRows().forEach(row -> add(name, row));
      case "tables" -> table(catalog, id, name);
      case "views" -> view(catalog, id, name);
      case "columns" -> catalog.columns(id).ifPresent(
          columns -> columns.rows().forEach(row -> add(name, row)));
      default -> Constraints.of(name).forEach(key -> key.rows(table).forEach(this::add));
    }
  }

  private void view(LakeCatalog catalog, Identifier id, String[] name) {
    try {
      add(name, catalog.view(id).query(), "NONE", "NO", "NO", null, "NO");
    } catch (NoSuchViewException e) {
      // it was dropped while the rows were made
    }
  }

  private void table(LakeCatalog catalog, Identifier id, String[] name) {
    Optional<Map<String, String>> told = catalog.told(id);
    if (told.isEmpty()) {
      return;
    }
    boolean view = catalog.viewExists(id);
    Map<String, String> p = told.get();
    String kept = p.containsKey(TableCatalog.PROP_EXTERNAL) ? "EXTERNAL" : "MANAGED";
    String format = view ? null : p.getOrDefault("provider", "delta").toUpperCase(Locale.ROOT);
    Path file = Lake.entry(view ? "views" : "tables", name);
    Path log = Lake.schema(name[0], name[1]).resolve(name[2]).resolve("_delta_log");
    add(name, view ? "VIEW" : kept, view ? "NO" : "YES", "PRESERVE", p.get("owner"),
        p.get("comment"), audit(Files.exists(file) ? file : log), format, p.get("location"),
        null);
  }

  /** Adds the grants on the object, and those on what it lies in that reach it. */
  private void grants(String type, String object) {
    String[] name = object.split("\\.");
    boolean manages = Access.allows(user, "MANAGE", type, object);
    for (int length = name.length; length >= 1; length--) {
      String above = String.join(".", Arrays.copyOf(name, length));
      String kind = length == name.length ? type : length == 1 ? "CATALOG" : "SCHEMA";
      String from = length == name.length ? "NONE" : kind;
      Grants.on(kind, above).forEach((who, privileges) -> {
        if (manages || Principals.is(user, who)) {
          privileges.stream().filter(Privileges.on(type)::contains).forEach(privilege ->
              add(null, who, name, privilege.replace(' ', '_'), "NO", from));
        }
      });
    }
  }

  /** Adds the tags of a table or of its columns, which are written {@code tag:column:key}. */
  private void tags(Path file, boolean columns, String... name) {
    JsonFiles.read(file).forEach((key, value) -> {
      String tag = key.substring("tag:".length());
      int colon = tag.indexOf(':');
      if (columns && colon > 0) {
        add(name, tag.substring(0, colon), tag.substring(colon + 1), value);
      } else if (!columns && colon < 0) {
        add(name, tag, value);
      }
    });
  }

  /** Returns created, created_by, last_altered, last_altered_by, of which nobody keeps who. */
  private static Object[] audit(Path file) {
    Path first = file.resolve("00000000000000000000.json");
    long created = (Files.exists(first) ? first : file).toFile().lastModified();
    return new Object[] {created * MICROS, null, file.toFile().lastModified() * MICROS, null};
  }

  /** Adds a row, whose values may be arrays of values. */
  private void add(Object... row) {
    rows.add(Arrays.stream(row).flatMap(InformationRows::flat).toArray());
  }

  private static Stream<Object> flat(Object value) {
    if (value instanceof Object[] many) {
      return Arrays.stream(many).flatMap(InformationRows::flat);
    }
    return Collections.singletonList(value).stream();
  }
}
