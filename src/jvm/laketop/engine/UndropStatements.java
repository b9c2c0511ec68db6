package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.delta.DeltaLog;

/** The statements about dropped tables. */
final class UndropStatements {
  private static final String[] COLUMNS = {"catalogName", "schemaName", "tableName", "tableId",
      "tableType", "deletedAt", "createdAt", "updatedAt", "createdBy", "owner", "comment"};
  static final List<Statement> ALL = List.of(
      Statement.of("SHOW~TABLES~DROPPED(?:~(?:IN|FROM)~<name>)?(?:~LIMIT~(?<most>\\d+))?",
          UndropStatements::show),
      Statement.of("UNDROP~TABLE~WITH~ID~<text>", UndropStatements::withId),
      Statement.of("UNDROP~TABLE~<name>", UndropStatements::named),
      Statement.refused("UNDROP~(?:SCHEMA|CATALOG|VOLUME|MATERIALIZED~VIEW)\\b.*",
          "UNDROP is for managed Delta tables: whatever else is dropped is deleted at once."));

  private UndropStatements() {}

  private static Rows show(SparkSession session, Matcher words) {
    String written = words.group("name");
    String[] schema = Names.schema(
        session, written == null ? Sql.quoted(Names.currentSchema(session)) : written);
    requireSchema(schema);
    List<Object[]> rows = new ArrayList<>();
    for (Dropped table : Dropped.of(Sessions.user(), schema[0], schema[1])) {
      rows.add(row(table));
    }
    String most = words.group("most");
    boolean cut = most != null && rows.size() > Long.parseLong(most);
    return new Rows("dropped", COLUMNS, cut ? rows.subList(0, Integer.parseInt(most)) : rows);
  }

  private static Object[] row(Dropped table) {
    String[] name = table.name().split("\\.");
    Path log = table.files().resolve("_delta_log");
    Path first = log.resolve("00000000000000000000.json");
    String comment = DeltaLogs.metadata(table.files())
        .filter(metadata -> metadata.hasNonNull("description"))
        .map(metadata -> metadata.path("description").asText())
        .orElse(null);
    return new Object[] {name[0], name[1], name[2], table.id(), "MANAGED",
        table.deleted().toString(), changed(Files.exists(first) ? first : log), changed(log), null,
        table.owner(), comment};
  }

  private static String changed(Path file) {
    return Instant.ofEpochMilli(file.toFile().lastModified()).toString();
  }

  private static void requireSchema(String[] schema) {
    Catalogs.existing(schema[0]);
    if (!Files.isDirectory(Lake.schema(schema[0], schema[1]))) {
      throw Lake.sneak(NameErrors.noSchema(schema[0], new String[] {schema[1]}));
    }
  }

  private static Rows named(SparkSession session, Matcher words) {
    String[] name = Names.full(session, words.group("name"));
    requireSchema(Arrays.copyOf(name, 2));
    String object = String.join(".", name);
    return undrop(session, Dropped.of(Sessions.user(), name[0], name[1]).stream()
        .filter(table -> table.name().equals(object))
        .findFirst()
        .orElseThrow(() -> missing("called `" + String.join("`.`", name) + "`")));
  }

  private static Rows withId(SparkSession session, Matcher words) {
    String id = Statement.text(words);
    String user = Sessions.user();
    for (String catalog : Catalogs.names()) {
      for (Path schema : Folders.list(Lake.catalog(catalog))) {
        for (Dropped table : Dropped.of(user, catalog, schema.getFileName().toString())) {
          if (table.id().equals(id)) {
            return undrop(session, table);
          }
        }
      }
    }
    throw missing("with the ID '" + id + "'");
  }

  private static RuntimeException missing(String which) {
    return Refusal.of("TABLE_OR_VIEW_NOT_FOUND", "There is no dropped table " + which + " that you"
        + " may bring back; SHOW TABLES DROPPED lists them, managed Delta tables, for seven days.");
  }

  private static Rows undrop(SparkSession session, Dropped table) {
    String[] name = table.name().split("\\.");
    Access.schema("CREATE TABLE", name[0], name[1]);
    LakeCatalog catalog = TableStatements.catalog(session, name);
    Identifier id = Identifier.of(new String[] {name[1]}, name[2]);
    Path place = Lake.schema(name[0], name[1]).resolve(name[2]);
    Claims.take(place);
    try {
      if (catalog.tableExists(id) || catalog.viewExists(id)) {
        throw Lake.sneak(NameErrors.tableTaken(name[0], id));
      }
      table.restore(place);
    } finally {
      Claims.release(place);
    }
    String location = Lake.location(place);
    DeltaLog.invalidateCache(session, new org.apache.hadoop.fs.Path(location));
    return null;
  }
}
