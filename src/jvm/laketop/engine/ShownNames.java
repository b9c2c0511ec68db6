package laketop.engine;

import java.nio.file.Files;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of functions as people know them, in texts that Spark writes: it says
 * {@code spark_catalog.main__sales.f} of {@code main.sales.f}, which is registered under that name.
 * Clients tell the class of a denial, which is Databricks' then.
 */
final class ShownNames {
  /** Catalog, schema, and what parts them in Spark's name of the schema. */
  static final String BETWEEN = "__";

  private static final String CATALOG = "(?:`spark_catalog`|spark_catalog)\\.";
  private static final String LETTER = "[^\\s`.,()'\"\\[\\]]";
  private static final String PART = LETTER + "{1,255}"; // bounded, as texts may be long
  private static final Pattern SCHEMA = Pattern.compile("(?:(" + CATALOG + ")|(?<!" + LETTER + "))"
      + "(`?)(" + PART + BETWEEN + PART + ")\\2\\.(?=(`?)(" + PART + ")\\4)");

  private ShownNames() {}

  /** Returns the text with the names that people know in the place of Spark's own, and of ours. */
  static String in(String text) {
    String known = text.replace(Denied.class.getName(), Denied.SHOWN);
    return known.contains(BETWEEN) ? SCHEMA.matcher(known).replaceAll(ShownNames::shown) : known;
  }

  private static String shown(MatchResult found) {
    String quote = found.group(2);
    String schema = found.group(3);
    boolean registered = found.group(1) != null || Functions.isRegistered(schema, found.group(5));
    String[] parts = registered ? parts(schema) : null;
    String now = parts == null
        ? found.group()
        : quote + parts[0] + quote + "." + quote + parts[1] + quote + ".";
    return Matcher.quoteReplacement(now);
  }

  /** Returns catalog and schema: those that are there, if there are several ways to part them. */
  private static String[] parts(String registered) {
    String[] first = null;
    for (int at = registered.indexOf(BETWEEN); at >= 0; at = registered.indexOf(BETWEEN, at + 1)) {
      String catalog = registered.substring(0, at);
      String schema = registered.substring(at + BETWEEN.length());
      if (Names.valid(catalog) && Names.valid(schema)) {
        String[] parts = {catalog, schema};
        if (Files.isDirectory(Lake.schema(catalog, schema))) {
          return parts;
        }
        first = first == null ? parts : first;
      }
    }
    return first;
  }
}
