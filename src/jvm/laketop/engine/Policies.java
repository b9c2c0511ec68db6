package laketop.engine;

import static java.util.stream.Collectors.toSet;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.TableChange;

/**
 * Row filters and column masks: the functions through which everybody reads a table.
 *
 * <p>{@code _policies/t.json} holds {@code filter} and {@code mask:<column>}, each the full name of
 * a function, and under the same keys with {@code :on} the columns that it is given.
 */
record Policies(String[] table, Map<String, String> entries) {
  private static final String TABLE = "ALTER~TABLE~<name>~";
  private static final String COLUMN = "ALTER~(?:COLUMN~)?(?<column>`[^`]+`|\\w+)~";
  private static final String FUNCTION = "(?<function>[\\w.`]+)";
  static final List<Statement> ALL = List.of(
      Statement.of(TABLE + "SET~ROW~FILTER(?<column>)~" + FUNCTION + "~ON\\s*\\((?<columns>[^)]*)\\)",
          Policies::set),
      Statement.of(TABLE + "DROP~ROW~FILTER(?<column>)", Policies::drop),
      Statement.of(TABLE + COLUMN + "SET~MASK~" + FUNCTION
          + "(?:~USING~COLUMNS\\s*\\((?<columns>[^)]*)\\))?", Policies::set),
      Statement.of(TABLE + COLUMN + "DROP~MASK", Policies::drop));

  static final Policies NONE = new Policies(null, Map.of());

  /** Returns the policies of a table, none of them where it has none. */
  static Policies of(String[] table) {
    return new Policies(table, JsonFiles.read(file(table)));
  }

  boolean none() {
    return entries.isEmpty();
  }

  String filter() {
    return entries.get("filter");
  }

  List<String> filtered() {
    return columns("filter");
  }

  /** Returns the function and the columns of the row filter, as information_schema tells them. */
  List<Object[]> filterRows() {
    String[] row = {filter(), entries.get("filter:on")};
    return filter() == null ? List.of() : List.<Object[]>of(row);
  }

  /** Returns column, function and other columns of each mask, as information_schema tells them. */
  List<Object[]> maskRows() {
    return entries.keySet().stream()
        .filter(key -> key.startsWith("mask:") && !key.endsWith(":on"))
        .map(key -> new Object[] {
            key.substring("mask:".length()), entries.get(key), entries.get(key + ":on")})
        .toList();
  }

  /** Refuses to rename or drop a column that a filter or mask is for, which would shed it. */
  void requireKept(TableChange change) {
    if ((change instanceof TableChange.RenameColumn || change instanceof TableChange.DeleteColumn)
        && names(Names.key(((TableChange.ColumnChange) change).fieldNames()[0]))) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "The column "
          + String.join(".", ((TableChange.ColumnChange) change).fieldNames())
          + " has a mask or is given to a row filter or mask: drop that before the column is"
          + " renamed or dropped.");
    }
  }

  private boolean names(String column) {
    return entries.containsKey("mask:" + column)
        || entries.keySet().stream()
            .filter(key -> key.endsWith(":on"))
            .flatMap(key -> Arrays.stream(entries.get(key).split(",")))
            .anyMatch(given -> Names.key(given).equals(column));
  }

  /** Returns the function that masks a column, or null. */
  String mask(String column) {
    return entries.get("mask:" + Names.key(column));
  }

  /** Returns the columns that a mask is given beside its own. */
  List<String> using(String column) {
    return columns("mask:" + Names.key(column));
  }

  private List<String> columns(String key) {
    String list = entries.getOrDefault(key + ":on", "");
    return list.isEmpty() ? List.of() : List.of(list.split(","));
  }

  /**
   * Returns the policies that a new table of these columns is to have, from the property that says
   * so; refuses functions that are not there or that the user may not call.
   */
  static Map<String, String> given(String property, Column[] columns) {
    @SuppressWarnings("unchecked")
    Map<String, String> given = JsonFiles.parse(property, HashMap.class);
    Set<String> known = Arrays.stream(columns).map(c -> Names.key(c.name())).collect(toSet());
    given.forEach((key, value) -> {
      if (!key.endsWith(":on")) {
        callable(Sessions.active(), value.split("\\."));
      }
      Stream<String> named = key.endsWith(":on") ? Stream.of(value.split(",")) : key
          .startsWith("mask:") ? Stream.of(key.substring("mask:".length())) : Stream.of();
      named.filter(c -> !c.isEmpty() && !known.contains(Names.key(c))).forEach(column -> {
        throw Refusal.of("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "A row filter or column mask names"
            + " `" + column + "`, which is no column of the table.");
      });
    });
    return given;
  }

  private static void callable(SparkSession session, String[] function) {
    Securables.require(session, "FUNCTION", function);
    Access.require("EXECUTE", "FUNCTION", String.join(".", function));
    if (PythonFunction.read(session, function) != null) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "A Python function as a row filter or column mask is"
          + " not supported; write it in SQL.");
    }
  }

  static Path file(String[] table) {
    return Lake.entry("policies", table);
  }

  private static String key(Matcher words) {
    String column = words.group("column");
    return column.isEmpty() ? "filter" : "mask:" + Names.key(column.replace("`", ""));
  }

  private static String[] owned(SparkSession session, Matcher words) {
    String[] table = Names.full(session, words.group("name"));
    Securables.require(session, "TABLE", table);
    Access.require("MANAGE", "TABLE", String.join(".", table));
    return table;
  }

  private static Rows set(SparkSession session, Matcher words) {
    String[] table = owned(session, words);
    String[] function = Names.full(session, words.group("function"));
    callable(session, function);
    String list = words.group("columns") == null ? "" : words.group("columns");
    List<String> columns = new ArrayList<>();
    Arrays.stream(list.split(",")).map(c -> c.trim().replace("`", "")).forEach(columns::add);
    Lake.change(file(table), entries -> {
      entries.put(key(words), String.join(".", function));
      entries.put(key(words) + ":on", String.join(",", columns));
    });
    return null;
  }

  private static Rows drop(SparkSession session, Matcher words) {
    String[] table = owned(session, words);
    Lake.alone(() -> {
      Map<String, String> entries = JsonFiles.read(file(table));
      entries.remove(key(words));
      entries.remove(key(words) + ":on");
      if (entries.isEmpty()) {
        JsonFiles.delete(file(table));
      } else {
        JsonFiles.write(file(table), entries);
      }
    });
    return null;
  }
}
