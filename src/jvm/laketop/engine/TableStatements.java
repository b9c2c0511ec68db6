package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;

/** The statements about tables. */
final class TableStatements {
  static final List<Statement> ALL = List.of(
      Statement.of("COMMENT~ON~COLUMN~<name>~IS~(?:<text>|NULL)", TableStatements::comment),
      Statement.of("ALTER~TABLE~<name>~DROP~PRIMARY~KEY(?<guard>~IF~EXISTS)?"
          + "(?:~(?:CASCADE|RESTRICT))?", TableStatements::dropPrimaryKey),
      Statement.of("SHOW~GROUPS(?:~(?:LIKE~)?<text>)?", TableStatements::groups),
      Statement.of("SHOW~CREATE~TABLE~<name>", TableStatements::show),
      Statement.of("ANALYZE~TABLE~<name>\\b.*", TableStatements::analyze));

  private TableStatements() {}

  private static Rows comment(SparkSession session, Matcher words) {
    List<String> parts = Names.written(session, words.group("name"));
    String column = parts.remove(parts.size() - 1);
    if (parts.isEmpty()) {
      throw Refusal.of("INVALID_NAME", "`" + column + "` names no table: COMMENT ON COLUMN t.c.");
    }
    session.sql("ALTER TABLE `" + String.join("`.`", parts) + "` ALTER COLUMN `" + column
        + "` COMMENT '" + Statement.text(words).replace("\\", "\\\\").replace("'", "\\'") + "'");
    return null;
  }

  private static Rows dropPrimaryKey(SparkSession session, Matcher words) {
    String[] name = Names.full(session, words.group("name"));
    Securables.require(session, "TABLE", name);
    Access.require("MANAGE", "TABLE", String.join(".", name));
    String key = Constraints.primary(name);
    if (key != null) {
      Constraints.remove(Lake.entry("constraints", name), key);
    } else if (words.group("guard") == null) {
      throw Refusal.missing("CONSTRAINT_DOES_NOT_EXIST", "primary key of", name);
    }
    return null;
  }

  private static Rows groups(SparkSession session, Matcher words) {
    Pattern like = Names.like(words.group("text"));
    List<Object[]> rows = new ArrayList<>();
    for (String group : new TreeSet<>(Principals.all().keySet())) {
      if (like.matcher(group).matches()) {
        rows.add(new Object[] {group});
      }
    }
    return new Rows("groups", new String[] {"name"}, rows);
  }

  private static Rows show(SparkSession session, Matcher words) throws Exception {
    String[] name = Names.full(session, words.group("name"));
    LakeCatalog catalog = catalog(session, name);
    Access.requireKnown(Sessions.user(), "TABLE", String.join(".", name));
    String text = CreateText.of(catalog, Identifier.of(new String[] {name[1]}, name[2]));
    return new Rows("ddl", new String[] {"createtab_stmt"}, List.<Object[]>of(new Object[] {text}));
  }

  /** Delta keeps its statistics as it writes, so that there is nothing to compute. */
  private static Rows analyze(SparkSession session, Matcher words) throws Exception {
    String[] name = Names.full(session, words.group("name"));
    Identifier table = Identifier.of(new String[] {name[1]}, name[2]);
    LakeCatalog catalog = catalog(session, name);
    Access.table("MODIFY", name[0], table);
    catalog.loadTable(table);
    return null;
  }

  static LakeCatalog catalog(SparkSession session, String[] name) {
    Catalogs.existing(name[0]);
    return (LakeCatalog) session.sessionState().catalogManager().catalog(name[0]);
  }
}
