package laketop.engine;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.CatalogManager;
import scala.jdk.javaapi.CollectionConverters;

/** The names of catalogs, schemas and what they hold: small letters, and fit to be a file's. */
public final class Names {
  private static final int LONGEST = 255;
  /** A file system takes 255 bytes, five of which are the ending of an entry's file. */
  private static final int MOST_BYTES = 250;
  private static final Set<String> FOLDERS = Set.of("_constraints", "_files", "_functions",
      "_owners", "_policies", "_prompts", "_tables", "_tags", "_views", "_volumes");

  private Names() {}

  public static String key(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  /** Returns whether Unity Catalog would take this name; {@code _files} and the like are kept. */
  public static boolean valid(String name) {
    boolean clean = name.chars().noneMatch(c -> c <= ' ' || c == 0x7f || "./\\".indexOf(c) >= 0);
    return clean && !name.isEmpty() && fits(name) && !FOLDERS.contains(key(name));
  }

  private static boolean fits(String name) {
    return name.length() <= LONGEST && key(name).getBytes(StandardCharsets.UTF_8).length <= MOST_BYTES;
  }

  /** Returns the name in small letters, or refuses it. */
  public static String checked(String name) {
    if (valid(name)) {
      return key(name);
    }
    String shown = name.replaceAll("\\p{Cntrl}", "?");
    throw Refusal.of("INVALID_NAME", "`" + shown + "` is no valid name:"
        + " a name has 1 to 255 characters, which as the name of a file take no more than "
        + MOST_BYTES + " bytes, no dot, slash, space or control character among them,"
        + " and is none of " + String.join(", ", new TreeSet<>(FOLDERS)) + ".");
  }

  /** Refuses a name of a catalog or schema that begins with an underscore. */
  public static String checkedContainer(String name) {
    if (name.startsWith("_")) {
      throw Refusal.of("INVALID_NAME",
          "`" + name + "` is no valid name: catalogs and schemas do not begin with an underscore.");
    }
    return checked(name);
  }

  /** Returns the parts of a dotted name in small letters, backticks taken off. */
  static List<String> parts(SparkSession session, String name) {
    return new ArrayList<>(written(session, name).stream().map(Names::key).toList());
  }

  /** Returns the parts of a dotted name as it is written, backticks taken off. */
  static List<String> written(SparkSession session, String name) {
    try {
      var parsed = session.sessionState().sqlParser().parseMultipartIdentifier(name);
      return new ArrayList<>(CollectionConverters.asJava(parsed));
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
  }

  /** Returns catalog, schema and name; what is not written is what the session uses. */
  static String[] full(SparkSession session, String name) {
    List<String> parts = parts(session, name);
    if (parts.size() > 3) {
      throw tooMany(name, "three");
    }
    CatalogManager manager = session.sessionState().catalogManager();
    if (parts.size() == 1) {
      parts.add(0, currentSchema(session));
    }
    if (parts.size() == 2) {
      parts.add(0, manager.currentCatalog().name());
    }
    return parts.toArray(String[]::new);
  }

  /** Returns catalog and schema. */
  static String[] schema(SparkSession session, String name) {
    List<String> parts = parts(session, name);
    if (parts.size() > 2) {
      throw tooMany(name, "two");
    }
    if (parts.size() == 1) {
      parts.add(0, session.sessionState().catalogManager().currentCatalog().name());
    }
    return parts.toArray(String[]::new);
  }

  private static RuntimeException tooMany(String name, String most) {
    return Refusal.of("IDENTIFIER_TOO_MANY_NAME_PARTS",
        "`" + name + "` has more than " + most + " parts.");
  }

  static String currentSchema(SparkSession session) {
    String[] namespace = session.sessionState().catalogManager().currentNamespace();
    return namespace.length == 0 ? "default" : namespace[0];
  }

  /** Returns the pattern of a SHOW statement: {@code *} is anything, {@code |} is or. */
  static Pattern like(String pattern) {
    if (pattern == null) {
      return Pattern.compile(".*");
    }
    List<String> choices = new ArrayList<>();
    for (String choice : pattern.split("\\|")) {
      choices.add(Pattern.quote(choice.trim()).replace("*", "\\E.*\\Q"));
    }
    return Pattern.compile(String.join("|", choices), Pattern.CASE_INSENSITIVE);
  }
}
