package laketop.engine;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;

/** CREATE TABLE ... LIKE, which this version of Spark knows in its session catalog only. */
record LikeTable(String made, boolean guarded, String source) {
  /** The key of a request that holds such a statement. */
  static final String KEY = "like";

  private static final String PART = "(?:`(?:[^`]|``)+`|\\w+)";
  private static final String NAME = PART + "(?:\\." + PART + ")*";
  private static final Pattern STATEMENT = Pattern.compile(
      "CREATE\\s+TABLE\\s+(?<guard>IF\\s+NOT\\s+EXISTS\\s+)?(?<made>" + NAME
          + ")\\s+LIKE\\s+(?<source>" + NAME + ")(?:\\s+USING\\s+DELTA)?",
      Pattern.CASE_INSENSITIVE);

  /** Returns what the statement says, or null for another statement or one with more clauses. */
  static LikeTable of(String sql) {
    Matcher words = STATEMENT.matcher(Sql.bare(sql));
    return words.matches()
        ? new LikeTable(words.group("made"), words.group("guard") != null, words.group("source"))
        : null;
  }

  void create(SparkSession session) {
    String[] to = Names.full(session, made);
    String[] from = Names.full(session, source);
    Identifier target = Identifier.of(new String[] {to[1]}, to[2]);
    Identifier like = Identifier.of(new String[] {from[1]}, from[2]);
    LakeCatalog catalog = TableStatements.catalog(session, to);
    Table table = TableStatements.catalog(session, from).loadTable(like);
    Access.table("SELECT", from[0], like);
    if (guarded && catalog.tableExists(target)) {
      return;
    }
    Map<String, String> properties = new HashMap<>(LakeCatalog.copied(table));
    properties.put(TableCatalog.PROP_PROVIDER, "delta");
    catalog.createTable(target, table.columns(), table.partitioning(), properties);
  }
}
