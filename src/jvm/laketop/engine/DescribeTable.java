package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.classic.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/** DESCRIBE TABLE EXTENDED: what Spark tells, and the keys, row filter and masks of the table. */
final class DescribeTable {
  /** By the word FORMATTED, which means the same, Spark's own is reached. */
  static final List<Statement> ALL = List.of(Statement.of(
      "(?:DESC|DESCRIBE)~(?:TABLE~)?EXTENDED~<name>", DescribeTable::describe));
  private static final String[] COLUMNS = {"col_name", "data_type", "comment"};

  private DescribeTable() {}

  private static Rows describe(SparkSession session, Matcher words) {
    String written = words.group("name");
    List<Object[]> rows = new ArrayList<>();
    for (Row row : session.sql("DESCRIBE TABLE FORMATTED " + written).collectAsList()) {
      rows.add(new Object[] {row.getString(0), row.getString(1), row.getString(2)});
    }
    List<String> parts = Names.parts(session, written);
    if (parts.size() <= 3 && session.sessionState().catalog().isTempView(
        CollectionConverters.asScala(parts).toSeq())) {
      return new Rows("description", COLUMNS, rows);
    }
    String[] name = Names.full(session, written);
    section(rows, "# Constraints", Constraints.of(name).stream()
        .map(key -> new Object[] {key.name(), key.described(), ""})
        .toList());
    Policies policies = Policies.of(name);
    section(rows, "# Row Filter", policies.filterRows().stream()
        .map(row -> new Object[] {row[0], row[1], ""})
        .toList());
    section(rows, "# Column Masks", policies.maskRows().stream()
        .map(row -> new Object[] {row[0], row[1], row[2]})
        .toList());
    return new Rows("description", COLUMNS, rows);
  }

  private static void section(List<Object[]> rows, String title, List<Object[]> lines) {
    if (!lines.isEmpty()) {
      rows.add(new Object[] {"", "", ""});
      rows.add(new Object[] {title, "", ""});
      rows.addAll(lines);
    }
  }
}
