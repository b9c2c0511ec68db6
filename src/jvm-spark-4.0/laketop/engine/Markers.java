package laketop.engine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.expressions.Expression;

/** The parameters {@code :name} and {@code ?} of statements of ours, which Spark does not parse. */
final class Markers {
  private static final Pattern MARKER = Pattern.compile(":[A-Za-z_]\\w*|\\?");

  private Markers() {}

  /** Returns the parameters in their order. */
  static List<String> of(String sql) {
    List<String> found = new ArrayList<>();
    Sql.outsideQuotes(sql, text -> {
      MARKER.matcher(text).results().forEach(marker -> found.add(marker.group()));
      return text;
    });
    return found;
  }

  /** Returns the statement with a text in the place of each parameter. */
  static String placed(String sql) {
    return Sql.outsideQuotes(sql, text -> MARKER.matcher(text).replaceAll("'x'"));
  }

  /** Returns the statement with these values in the place of its parameters. */
  static String filled(String sql, List<Expression> values) {
    Iterator<Expression> next = values.iterator();
    return Sql.outsideQuotes(sql, text -> MARKER.matcher(text)
        .replaceAll(marker -> Matcher.quoteReplacement(next.next().sql())));
  }
}
