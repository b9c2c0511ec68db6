package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;

/**
 * What lists a whole catalog: the statements behind the metadata calls of the SQL connectors.
 *
 * <p>A user sees what the user has a privilege on, as in information_schema. Source: what
 * databricks-sql-connector sends for {@code cursor.schemas()}, {@code tables()}, {@code columns()};
 * it takes the sixth column of the tables for their type.
 */
final class ListStatements {
  private static final String IN = "~(?:IN|FROM)~(?:ALL~CATALOGS|CATALOG~<name>)"
      + "(?:~SCHEMA~LIKE~'(?<schemas>[^']*)')?";
  static final List<Statement> ALL = List.of(
      Statement.of("SHOW~(?:SCHEMAS|DATABASES)~(?:IN|FROM)~ALL~CATALOGS(?:~LIKE~'(?<schemas>[^']*)')?",
          ListStatements::schemas),
      Statement.of("SHOW~TABLES" + IN + "(?:~LIKE~<text>)?", ListStatements::tables),
      Statement.of("SHOW~COLUMNS" + IN + "(?:~TABLE~LIKE~'(?<tables>[^']*)')?(?:~LIKE~<text>)?",
          ListStatements::columns));
  private static final String[] TABLES = {"namespace", "tableName", "isTemporary:B", "information",
      "catalogName", "tableType", "remarks"};
  private static final String[] COLUMNS = {"col_name", "catalogName", "namespace", "tableName",
      "columnType", "columnSize:I", "decimalDigits:I", "radix:I", "isNullable", "remarks",
      "ordinalPosition:I", "isAutoIncrement", "isGenerated"};

  private ListStatements() {}

  private interface Found {
    void schema(LakeCatalog catalog, String schema) throws NoSuchNamespaceException;
  }

  /** Looks at the schemas of the catalogs that a statement names. */
  private static void each(SparkSession session, Matcher words, String written, Found found) {
    List<String> names = new ArrayList<>(Catalogs.seen(Sessions.user()));
    if (written != null) {
      String name = Names.key(Names.parts(session, written).get(0));
      Catalogs.existing(name);
      names.retainAll(List.of(name));
    }
    Pattern like = Names.like(words.group("schemas"));
    JsonFiles.once(() -> {
      names.forEach(name -> each(session, name, like, found));
      return null;
    });
  }

  private static void each(SparkSession session, String name, Pattern like, Found found) {
    LakeCatalog catalog = (LakeCatalog) session.sessionState().catalogManager().catalog(name);
    for (String[] schema : catalog.listNamespaces()) {
      if (like.matcher(schema[0]).matches()) {
        try {
          found.schema(catalog, schema[0]);
        } catch (NoSuchNamespaceException dropped) {
          // it was dropped while the rows were made
        }
      }
    }
  }

  private static Rows schemas(SparkSession session, Matcher words) {
    List<Object[]> rows = new ArrayList<>();
    each(session, words, null,
        (catalog, schema) -> rows.add(new Object[] {schema, catalog.name()}));
    return new Rows("schemas", new String[] {"databaseName", "catalogName"}, rows);
  }

  private static Rows tables(SparkSession session, Matcher words) {
    Pattern like = Names.like(words.group("text"));
    List<Object[]> rows = new ArrayList<>();
    each(session, words, words.group("name"), (catalog, schema) -> {
      for (Identifier id : relations(catalog, schema, like)) {
        catalog.told(id).ifPresent(told -> rows.add(new Object[] {schema, id.name(), false, null,
            catalog.name(), catalog.viewExists(id) ? "VIEW" : "TABLE", told.get("comment")}));
      }
    });
    return new Rows("tables", TABLES, rows);
  }

  private static Rows columns(SparkSession session, Matcher words) {
    Pattern tables = Names.like(words.group("tables"));
    Pattern like = Names.like(words.group("text"));
    List<Object[]> rows = new ArrayList<>();
    each(session, words, words.group("name"), (catalog, schema) -> {
      for (Identifier id : relations(catalog, schema, tables)) {
        String[] name = {catalog.name(), schema, id.name()};
        catalog.columns(id).ifPresent(columns -> columns.listed(name).stream()
            .filter(row -> like.matcher((String) row[0]).matches())
            .forEach(rows::add));
      }
    });
    return new Rows("columns", COLUMNS, rows);
  }

  private static List<Identifier> relations(LakeCatalog catalog, String schema, Pattern like)
      throws NoSuchNamespaceException {
    List<Identifier> all = catalog.relations(schema);
    all.removeIf(id -> !like.matcher(id.name()).matches());
    return all;
  }
}
