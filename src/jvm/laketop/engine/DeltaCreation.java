package laketop.engine;

import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.classic.SparkSession;

/**
 * What the builders of {@code delta.tables.DeltaTable} describe, as the SQL that makes it.
 *
 * <p>Delta's own builder takes no name of three parts.
 */
final class DeltaCreation {
  private static final int REPLACE = 3;
  private static final int CREATE_OR_REPLACE = 4;

  private DeltaCreation() {}

  static String sql(DeltaMessage sent, SparkSession session) {
    String columns = sent.messages(5).stream()
        .map(column -> column(column, session))
        .collect(Collectors.joining(", "));
    boolean placed = sent.has(2) && sent.has(3);
    return verb((int) sent.number(1))
        + (sent.has(2) ? sent.text(2) : "delta." + Sql.quoted(sent.text(3)))
        + (columns.isEmpty() ? "" : " (" + columns + ")")
        + " USING delta"
        + list(" PARTITIONED BY ", sent.texts(6))
        + list(" CLUSTER BY ", sent.texts(8))
        + (placed ? " LOCATION " + Sql.literal(sent.text(3)) : "")
        + (sent.has(4) ? " COMMENT " + Sql.literal(sent.text(4)) : "")
        + Sql.properties(sent.map(7));
  }

  private static String verb(int mode) {
    return switch (mode) {
      case REPLACE -> "REPLACE TABLE ";
      case CREATE_OR_REPLACE -> "CREATE OR REPLACE TABLE ";
      case 2 -> "CREATE TABLE IF NOT EXISTS ";
      default -> "CREATE TABLE ";
    };
  }

  private static String list(String clause, List<String> columns) {
    return columns.isEmpty()
        ? ""
        : clause + columns.stream().map(Sql::quoted).collect(Collectors.joining(", ", "(", ")"));
  }

  private static String column(DeltaMessage sent, SparkSession session) {
    return Sql.quoted(sent.text(1)) + " " + DeltaTables.type(sent.bytes(2), session).sql()
        + (sent.flag(3) ? "" : " NOT NULL")
        + (sent.has(4) ? " GENERATED ALWAYS AS (" + sent.text(4) + ")" : "")
        + (sent.has(6) ? identity(sent.message(6)) : "")
        + (sent.has(5) ? " COMMENT " + Sql.literal(sent.text(5)) : "");
  }

  private static String identity(DeltaMessage sent) {
    return " GENERATED " + (sent.flag(3) ? "BY DEFAULT" : "ALWAYS") + " AS IDENTITY (START WITH "
        + sent.number(1) + " INCREMENT BY " + sent.number(2) + ")";
  }
}
