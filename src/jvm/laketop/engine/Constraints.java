package laketop.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Primary and foreign keys: kept for readers, enforced by nobody, as on Databricks. */
final class Constraints {
  private static final Pattern TIMESERIES = Pattern.compile(
      "(PRIMARY\\s+KEY\\s*\\([^)]*?)(`[^`]+`|\\w+)\\s+TIMESERIES(\\s*[,)])",
      Pattern.CASE_INSENSITIVE);
  /** The column of time in the primary key of the statement that this thread runs, or null. */
  private static final ThreadLocal<String> TIME = new ThreadLocal<>();

  private Constraints() {}

  static void forget() {
    TIME.remove();
  }

  /** Returns a statement without the word, which Spark does not know; its column is kept in mind. */
  static String withoutTimeseries(String sql) {
    Matcher key = TIMESERIES.matcher(sql);
    if (!key.find()) {
      return sql;
    }
    TIME.set(key.group(2).replace("`", ""));
    return key.replaceFirst("$1$2$3");
  }

  /** Returns the text of a constraint, with the word where its statement had it. */
  private static String text(TableConstraint constraint) {
    String text = constraint.text();
    String time = TIME.get();
    if (time == null || !text.contains("PRIMARY KEY")) {
      return text;
    }
    return text.replaceFirst("(?i)([(,]\\s*`?" + Pattern.quote(time) + "`?)(\\s*[,)])",
        "$1 TIMESERIES$2");
  }

  /** Returns the primary and foreign keys of a table. */
  static List<Key> of(String[] table) {
    return JsonFiles.read(Lake.entry("constraints", table)).entrySet().stream()
        .map(entry -> Key.parse(table, entry.getKey(), entry.getValue()))
        .filter(Objects::nonNull)
        .toList();
  }

  /** Returns the texts of a table's keys, the tables that they refer to named in full. */
  static List<String> texts(String[] table) {
    return JsonFiles.read(Lake.entry("constraints", table)).entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(entry -> {
          Key key = Key.parse(table, entry.getKey(), entry.getValue());
          return key == null ? entry.getValue() : key.referring(entry.getValue());
        })
        .toList();
  }

  /** Returns the name of a table's primary key, or null. */
  static String primary(String[] table) {
    return of(table).stream()
        .filter(key -> key.parent() == null)
        .map(Key::name)
        .findFirst()
        .orElse(null);
  }

  static void add(Path file, TableConstraint constraint) {
    Lake.change(file, entry -> entry.put(constraint.name(), text(constraint)));
  }

  /** Removes the constraint of this name, if there is one. */
  static boolean remove(Path file, String name) {
    if (!JsonFiles.read(file).containsKey(name)) {
      return false;
    }
    Lake.change(file, entry -> entry.remove(name));
    return true;
  }
}
