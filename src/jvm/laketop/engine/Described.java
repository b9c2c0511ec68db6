package laketop.engine;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.Dataset;
import org.apache.spark.sql.classic.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A query of what DESCRIBE tells, as in {@code SELECT max(version) FROM (DESCRIBE HISTORY t)}.
 *
 * <p>Spark's grammar has no statement in the place of a query: it becomes a table function.
 */
final class Described {
  private static final Pattern STATEMENT = Pattern.compile(
      "\\(\\s*DESC(?:RIBE)?\\s+(HISTORY|DETAIL)\\s+((?:`[^`]+`|[\\w-]+)(?:\\.(?:`[^`]+`|[\\w-]+))*)"
          + "(?:\\s+LIMIT\\s+(\\d+))?\\s*\\)",
      Pattern.CASE_INSENSITIVE);
  private static final String PREFIX = "describe_";

  private Described() {}

  /** Returns the text with table functions for the statements in it that stand for queries. */
  static String functions(String sql) {
    Matcher found = STATEMENT.matcher(Sql.blanked(sql));
    StringBuilder out = new StringBuilder();
    int from = 0;
    while (found.find()) {
      String name = Sql.literal(sql.substring(found.start(2), found.end(2)));
      String limit = found.group(3) == null ? "" : " LIMIT " + found.group(3);
      out.append(sql, from, found.start())
          .append("(SELECT * FROM ").append(PREFIX).append(key(found.group(1)))
          .append('(').append(name).append(')').append(limit).append(')');
      from = found.end();
    }
    return out.append(sql.substring(from)).toString();
  }

  static boolean is(UnresolvedTableValuedFunction call) {
    List<String> name = CollectionConverters.asJava(call.name());
    return name.size() == 1
        && List.of(PREFIX + "history", PREFIX + "detail").contains(key(name.get(0)))
        && call.functionArgs().size() == 1
        && call.functionArgs().head() instanceof Literal;
  }

  /** Returns the rows of the statement, which the user of the session must be allowed to see. */
  static LogicalPlan plan(SparkSession session, UnresolvedTableValuedFunction call) {
    String what = call.name().head().substring(PREFIX.length());
    String name = ((Literal) call.functionArgs().head()).value().toString();
    Names.written(session, name); // a name and nothing else
    return AnalysisContext$.MODULE$.withNewAnalysisContext(() -> {
      Dataset<Row> rows = (Dataset<Row>) session.sql("DESCRIBE " + what + " " + name);
      return rows.logicalPlan();
    });
  }

  private static String key(String word) {
    return word.toLowerCase(Locale.ROOT);
  }
}
