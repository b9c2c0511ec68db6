package laketop.engine;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.sql.classic.SparkSession;

/** All statements that laketop adds to Spark's grammar. */
final class Statements {
  private static final Pattern FIRST_WORDS = Pattern.compile(
      "(CREATE|DROP|SHOW|DESC|DESCRIBE|ALTER|COMMENT|GRANT|REVOKE|DENY|ANALYZE|COPY|USE|UNDROP|LIST|SYNC|REPLACE|CONVERT|FSCK|MSCK|(?:UN)?SET\\s+TAG)\\s.*",
      Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
  private static final List<Statement> ALL = Stream.of(
          CatalogStatements.ALL, ListStatements.ALL, VolumeStatements.ALL, GrantStatements.ALL,
          TableStatements.ALL, Tags.ALL, DescribeTable.ALL, NotNull.ALL, CopyInto.ALL, DeepClone.ALL,
          ConvertToDelta.ALL, Policies.ALL, UndropStatements.ALL, Refusals.ALL)
      .flatMap(List::stream)
      .toList();

  private Statements() {}

  /** Returns the text without comments if it may be one of these statements, else null. */
  static String candidate(String sql) {
    String bare = Sql.bare(sql);
    return FIRST_WORDS.matcher(bare).matches() ? Sql.named(bare) : null;
  }

  static boolean has(String bare) {
    return ALL.stream().anyMatch(statement -> statement.spelling().matcher(bare).matches());
  }

  static Rows run(SparkSession session, String bare) throws Exception {
    for (Statement statement : ALL) {
      Matcher words = statement.spelling().matcher(bare);
      if (words.matches()) {
        return statement.action().run(session, words);
      }
    }
    throw Refusal.of("PARSE_SYNTAX_ERROR", "Not understood: " + bare);
  }
}
