package laketop.engine;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.classic.SparkSession;

/** A statement that Spark's grammar lacks: how it is spelled, and what carries it out. */
record Statement(Pattern spelling, Action action) {
  private static final String PART = "(?:`[^`]+`|[\\w-]+)";

  /** Carries a statement out and returns its rows, or null where it has none. */
  interface Action {
    Rows run(SparkSession session, Matcher words) throws Exception;
  }

  /**
   * Returns a statement from a regular expression in which {@code ~} is white space, {@code <name>}
   * a name of one to three parts, {@code <who>} a principal and {@code <text>} a string, the last
   * three as groups called so.
   */
  static Statement of(String spelling, Action action) {
    String expression = spelling
        .replace("~", "\\s+")
        .replace("<name>", "(?<name>" + PART + "(?:\\." + PART + ")*)")
        .replace("<who>", "(?<who>`[^`]+`|'[^']+'|[^\\s`']+)")
        .replace("<text>", "'(?<text>(?:[^'\\\\]|\\\\.|'')*)'");
    int flags = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;
    return new Statement(Pattern.compile(expression, flags), action);
  }

  static Statement refused(String spelling, String sentence) {
    return of(spelling, (session, words) -> {
      throw Refusal.of("UNSUPPORTED_FEATURE", sentence);
    });
  }

  /** Returns the text of the group {@code text}, unescaped, or nothing. */
  static String text(Matcher words) {
    String text = words.group("text");
    return text == null ? "" : text.replace("''", "'").replaceAll("\\\\(.)", "$1");
  }

  static String who(Matcher words) {
    String who = words.group("who");
    return who == null ? null : who.replaceAll("[`']", "");
  }
}
