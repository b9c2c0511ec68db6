package laketop.engine;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.plans.logical.AlterViewAs;
import org.apache.spark.sql.catalyst.plans.logical.CreateUserDefinedFunction;
import org.apache.spark.sql.catalyst.plans.logical.CreateView;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.Dataset;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.command.CreateViewCommand;

/**
 * A query of what DESCRIBE tells, as in {@code SELECT max(version) FROM (DESCRIBE HISTORY t)}.
 *
 * <p>Spark's grammar has no statement in the place of a query: it becomes a table function, whose
 * name is the statement. With its spaces that is the name of no function of a user.
 */
final class Described {
  private static final Pattern STATEMENT = Pattern.compile(
      "\\(\\s*DESC(?:RIBE)?\\s+(HISTORY|DETAIL)\\s+((?:`[^`]+`|[\\w-]+)(?:\\.(?:`[^`]+`|[\\w-]+))*)"
          + "(?:\\s+LIMIT\\s+(\\d+))?\\s*\\)",
      Pattern.CASE_INSENSITIVE);
  private static final Pattern NAME =
      Pattern.compile("DESCRIBE (?:HISTORY|DETAIL) (.+?)(?: LIMIT \\d+)?");

  private Described() {}

  /** Returns the text with table functions for the statements in it that stand for queries. */
  static String functions(String sql) {
    Matcher found = STATEMENT.matcher(Sql.blanked(sql));
    StringBuilder out = new StringBuilder();
    int from = 0;
    while (found.find()) {
      String limit = found.group(3) == null ? "" : " LIMIT " + found.group(3);
      String statement = "DESCRIBE " + found.group(1).toUpperCase(Locale.ROOT) + " "
          + sql.substring(found.start(2), found.end(2)) + limit;
      out.append(sql, from, found.start())
          .append("(SELECT * FROM ").append(Sql.quoted(statement)).append("())");
      from = found.end();
    }
    return out.append(sql.substring(from)).toString();
  }

  /** Refuses what would keep the text: it is not the user's own any more. */
  static LogicalPlan read(LogicalPlan plan) {
    if (plan instanceof CreateView || plan instanceof CreateViewCommand
        || plan instanceof AlterViewAs || plan instanceof CreateUserDefinedFunction) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "DESCRIBE HISTORY and DESCRIBE DETAIL in a view or"
          + " function are not supported; query them where they are needed.");
    }
    return plan;
  }

  static boolean is(UnresolvedTableValuedFunction call) {
    return call.name().size() == 1
        && call.functionArgs().isEmpty()
        && NAME.matcher(call.name().head()).matches();
  }

  /** Returns the rows of the statement, which the user of the session must be allowed to see. */
  static LogicalPlan plan(SparkSession session, UnresolvedTableValuedFunction call) {
    String statement = call.name().head();
    Matcher parts = NAME.matcher(statement);
    if (parts.matches()) {
      Names.written(session, parts.group(1)); // a name and nothing else
    }
    return AnalysisContext$.MODULE$.withNewAnalysisContext(() -> {
      Dataset<Row> rows = (Dataset<Row>) session.sql(statement);
      return rows.logicalPlan();
    });
  }
}
