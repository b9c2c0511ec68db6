package laketop.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Which privileges there are on which type of object. Source: Databricks docs, privileges. */
final class Privileges {
  static final String ALL = "ALL PRIVILEGES";
  static final String MANAGE = "MANAGE";

  private static final List<String> TABLE = List.of("SELECT", "MODIFY", "REFRESH", "APPLY TAG");
  private static final List<String> FUNCTION =
      List.of("EXECUTE", "APPLY TAG", "CREATE MODEL VERSION");
  private static final List<String> VOLUME = List.of("READ VOLUME", "WRITE VOLUME", "APPLY TAG");
  private static final List<String> SCHEMA = joined(TABLE, FUNCTION, VOLUME, List.of(
      "USE SCHEMA", "CREATE TABLE", "CREATE VOLUME", "CREATE FUNCTION", "CREATE MODEL",
      "CREATE MATERIALIZED VIEW", "EXTERNAL USE SCHEMA"));
  private static final Map<String, Set<String>> APPLICABLE = Map.of(
      Grants.METASTORE, all(List.of("CREATE CATALOG", "CREATE CONNECTION",
          "CREATE EXTERNAL LOCATION", "CREATE SHARE", "CREATE STORAGE CREDENTIAL",
          "CREATE RECIPIENT", "CREATE PROVIDER")),
      "CATALOG", all(SCHEMA, List.of("USE CATALOG", "CREATE SCHEMA", "BROWSE")),
      "SCHEMA", all(SCHEMA),
      "TABLE", all(TABLE),
      "VOLUME", all(VOLUME),
      "FUNCTION", all(FUNCTION));

  private Privileges() {}

  @SafeVarargs
  private static List<String> joined(List<String>... lists) {
    List<String> all = new ArrayList<>();
    Arrays.stream(lists).forEach(all::addAll);
    return List.copyOf(all);
  }

  @SafeVarargs
  private static Set<String> all(List<String>... lists) {
    Set<String> all = new TreeSet<>(joined(lists));
    all.add(ALL);
    all.add(MANAGE);
    return all;
  }

  static Set<String> on(String type) {
    return APPLICABLE.get(type);
  }

  /** Returns the names in a list that a statement has; refuses one that the type does not take. */
  static Set<String> parse(String list, String type) {
    Set<String> names = new TreeSet<>();
    for (String written : list.toUpperCase(Locale.ROOT).split(",")) {
      String name = written.trim().replaceAll("[\\s_]+", " ").replaceAll("^ALL$", ALL);
      if (!APPLICABLE.get(type).contains(name)) {
        throw Refusal.of("INVALID_PARAMETER_VALUE", "Privilege " + name
            + " is not applicable to this entity [" + type + "]; it takes "
            + String.join(", ", APPLICABLE.get(type)) + ".");
      }
      names.add(name);
    }
    return names;
  }

  /** Returns whether holding {@code held} is holding {@code wanted}: ALL is not MANAGE. */
  static boolean covers(List<String> held, String wanted) {
    return held.contains(wanted) || held.contains(ALL) && !wanted.equals(MANAGE);
  }
}
