package laketop.engine;

import java.util.Map;
import java.util.regex.Pattern;

/** What the grammar of this version lacks of Databricks', so that a sentence can name it. */
final class Lacking {
  private static final int FLAGS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;
  private static final Map<Pattern, String> SENTENCES = Map.of(
      Pattern.compile("INSERT\\s.*\\bREPLACE\\s+(?:USING|ON)\\b.*", FLAGS),
      "INSERT ... REPLACE USING and REPLACE ON",
      Pattern.compile("INSERT\\s+WITH\\s+SCHEMA\\s+EVOLUTION\\b.*", FLAGS),
      "INSERT WITH SCHEMA EVOLUTION",
      Pattern.compile("CREATE\\s+TABLE\\s.*\\bUNIQUE\\b.*", FLAGS),
      "UNIQUE",
      Pattern.compile(".*[\\w`)\\]]\\s*:\\s*(?:[a-z_`]|\\[).*", FLAGS),
      "The operator : on JSON and VARIANT");

  private Lacking() {}

  /** Refuses a statement that did not parse, where it is known what of it this Spark lacks. */
  static void refuse(String sql) {
    String blanked = Sql.blanked(Sql.bare(sql)).strip();
    SENTENCES.forEach((pattern, words) -> {
      if (pattern.matcher(blanked).matches()) {
        throw Refusal.of("UNSUPPORTED_FEATURE", words + " is not there with the runtime 17.3-LTS,"
            + " whose Spark is 4.0; it is with the default runtime.");
      }
    });
  }
}
