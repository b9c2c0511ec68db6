package laketop.engine;

import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The text of a statement. */
final class Sql {
  private static final String TEXT = "'[^'\\\\]*'";
  private static final Pattern IDENTIFIER = Pattern.compile(
      "\\bIDENTIFIER\\s*\\(\\s*(" + TEXT + "(?:\\s*\\|\\|\\s*" + TEXT + ")*)\\s*\\)",
      Pattern.CASE_INSENSITIVE);
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z_]\\w*");
  private static final Pattern VERSION = Pattern.compile("@v(\\d+)\\b", Pattern.CASE_INSENSITIVE);
  private static final Pattern MOMENT = Pattern.compile(
      "@(\\d{4})(\\d{2})(\\d{2})(\\d{2})(\\d{2})(\\d{2})(\\d{3})\\b");

  private Sql() {}

  /** Returns a text as a literal. */
  static String literal(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }

  /** Returns a name in backticks. */
  static String quoted(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  /** Returns a name as it may be written: in backticks where it is not a plain word. */
  static String name(String name) {
    return PLAIN.matcher(name).matches() ? name : quoted(name);
  }

  /** Returns the clause of these properties, or nothing where there are none. */
  static String properties(Map<String, String> properties) {
    return properties.isEmpty() ? "" : properties.entrySet().stream()
        .map(entry -> literal(entry.getKey()) + " = " + literal(entry.getValue()))
        .collect(Collectors.joining(", ", " TBLPROPERTIES (", ")"));
  }

  /** Returns the text with the names that are written as {@code IDENTIFIER('main.s' || '.t')}. */
  static String named(String bare) {
    return IDENTIFIER.matcher(bare).replaceAll(found -> Matcher.quoteReplacement(
        found.group(1).replaceAll("'\\s*\\|\\|\\s*'", "").replace("'", "")));
  }

  /** Returns the text with {@code t@v7} and {@code t@20240229120000000} as Spark spells them. */
  static String travelled(String sql) {
    return outsideQuotes(sql, text -> MOMENT
        .matcher(VERSION.matcher(text).replaceAll(" VERSION AS OF $1"))
        .replaceAll(" TIMESTAMP AS OF '$1-$2-$3 $4:$5:$6.$7'"));
  }

  /** Changes what is neither a string nor a quoted name nor a comment. */
  static String outsideQuotes(String sql, UnaryOperator<String> change) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    int at = 0;
    while (at < sql.length()) {
      int end = Math.max(comment(sql, at), quoted(sql, at));
      if (end > at + 1) {
        out.append(change.apply(sql.substring(from, at))).append(sql, at, end);
        from = end;
      }
      at = end;
    }
    return out.append(change.apply(sql.substring(from))).toString();
  }

  /** Returns the text, as long as it was, with blanks for comments and {@code x} for quoted words. */
  static String blanked(String text) {
    StringBuilder out = new StringBuilder(text);
    int at = 0;
    while (at < text.length()) {
      int comment = comment(text, at);
      int end = comment > at ? comment : quoted(text, at);
      for (int i = at; comment > at && i < end; i++) {
        out.setCharAt(i, ' ');
      }
      for (int i = at + 1; comment == at && i < end - 1; i++) {
        out.setCharAt(i, 'x');
      }
      at = end;
    }
    return out.toString();
  }

  /** Returns the text with a space for every comment, and without semicolons at its end. */
  static String bare(String text) {
    StringBuilder out = new StringBuilder();
    int at = 0;
    while (at < text.length()) {
      int end = comment(text, at);
      if (end > at) {
        out.append(' ');
      } else {
        end = quoted(text, at);
        out.append(text, at, end);
      }
      at = end;
    }
    return out.toString().replaceAll("[;\\s]+\\z", "").strip();
  }

  /** Returns where the comment that begins here ends; {@code at} when none begins. */
  private static int comment(String text, int at) {
    if (text.startsWith("--", at)) {
      int end = text.indexOf('\n', at);
      return end < 0 ? text.length() : end;
    }
    if (!text.startsWith("/*", at) || text.startsWith("/*+", at)) {
      return at;
    }
    int depth = 0;
    for (int i = at; i < text.length(); i++) {
      if (text.startsWith("/*", i)) {
        depth++;
        i++;
      } else if (text.startsWith("*/", i)) {
        depth--;
        i++;
        if (depth == 0) {
          return i + 1;
        }
      }
    }
    return text.length();
  }

  /** Returns where the string, the quoted name or the single character that begins here ends. */
  private static int quoted(String text, int at) {
    char quote = text.charAt(at);
    if (quote != '\'' && quote != '"' && quote != '`') {
      return at + 1;
    }
    for (int i = at + 1; i < text.length(); i++) {
      if (text.charAt(i) == '\\' && quote != '`') {
        i++;
      } else if (text.charAt(i) == quote) {
        return i + 1;
      }
    }
    return text.length();
  }
}
