package laketop.engine;

/** The text of a statement. */
final class Sql {
  private Sql() {}

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
