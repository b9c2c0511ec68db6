package laketop.engine;

import java.util.Map;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.parser.ParseException;

/** What the grammar of this version lacks of Databricks', so that a sentence can name it. */
final class Lacking {
  private static final int FLAGS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;
  static final String LIKE = "CREATE TABLE ... LIKE";
  private static final Map<Pattern, String> SENTENCES = Map.of(
      Pattern.compile(".*\\bINSERT\\s.*\\bREPLACE\\s+(?:USING|ON)\\b.*", FLAGS),
      "INSERT ... REPLACE USING and REPLACE ON",
      Pattern.compile("INSERT\\s+WITH\\s+SCHEMA\\s+EVOLUTION\\b.*", FLAGS),
      "INSERT WITH SCHEMA EVOLUTION",
      Pattern.compile("CREATE\\s+TABLE\\s.*\\bUNIQUE\\b.*", FLAGS),
      "UNIQUE",
      Pattern.compile(".*\\bQUALIFY\\b.*", FLAGS),
      "QUALIFY",
      Pattern.compile("CREATE\\s+TABLE\\s.*\\bLIKE\\b.*", FLAGS),
      LIKE);

  /** This version's grammar has it, and its plans do not. */
  private static final Pattern RECURSIVE = Pattern.compile("\\bWITH\\s+RECURSIVE\\b", FLAGS);

  private Lacking() {}

  /** Refuses what would be read, and then fail without a word of what it was. */
  static void refuse(String sql) {
    if (RECURSIVE.matcher(sql).find() && RECURSIVE.matcher(Sql.blanked(sql)).find()) {
      throw refusal("WITH RECURSIVE");
    }
  }

  /** Refuses a statement that did not parse, where it is known what of it this Spark lacks. */
  static void refuse(String sql, ParseException unread) {
    if ("':'".equals(unread.getMessageParameters().get("error"))) {
      throw refusal("The operator : on JSON and VARIANT");
    }
    String blanked = Sql.blanked(Sql.bare(sql)).strip();
    SENTENCES.forEach((pattern, words) -> {
      if (pattern.matcher(blanked).matches()) {
        throw refusal(words);
      }
    });
  }

  static RuntimeException refusal(String words) {
    return Refusal.of("UNSUPPORTED_FEATURE", words + " is not there with the runtime 17.3-LTS,"
        + " whose Spark is 4.0; it is with the default runtime.");
  }
}
