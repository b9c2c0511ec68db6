package laketop.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A primary or foreign key of a table, read from the text in which it is kept. */
record Key(String[] table, String name, List<String> columns, String[] parent, List<String> to) {
  private static final Pattern TEXT = Pattern.compile(
      ".*?(?<kind>PRIMARY|FOREIGN) KEY \\((?<columns>[^)]*)\\)"
          + "(?: REFERENCES (?<parent>\\S+) \\((?<to>[^)]*)\\))?.*",
      Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  /** Returns the key, or null for another constraint. */
  static Key parse(String[] table, String name, String text) {
    Matcher words = TEXT.matcher(text);
    if (!words.matches()) {
      return null;
    }
    String parent = words.group("parent");
    return new Key(table, name, split(words.group("columns")),
        parent == null ? null : full(table, parent),
        parent == null ? List.of() : split(words.group("to")));
  }

  private static List<String> split(String list) {
    return Arrays.stream(list.split(","))
        .map(s -> s.replaceAll("(?i)\\s+TIMESERIES\\s*$", "").trim().replace("`", ""))
        .toList();
  }

  private static String[] full(String[] table, String written) {
    List<String> parts = new ArrayList<>(List.of(written.replace("`", "").split("\\.")));
    while (parts.size() < 3) {
      parts.add(0, table[2 - parts.size()]);
    }
    return parts.toArray(String[]::new);
  }

  /** Returns the key's text with the full name of the table that it refers to. */
  String referring(String text) {
    Matcher words = TEXT.matcher(text);
    return parent == null || !words.matches()
        ? text
        : text.substring(0, words.start("parent"))
            + Stream.of(parent).map(Sql::name).collect(Collectors.joining("."))
            + text.substring(words.end("parent"));
  }

  /** Returns the key in the words of DESCRIBE TABLE EXTENDED. */
  String described() {
    return (parent == null ? "PRIMARY KEY (" : "FOREIGN KEY (") + list(columns) + ")"
        + (parent == null ? "" : " REFERENCES " + list(List.of(parent)).replace(", ", ".")
            + " (" + list(to) + ")");
  }

  private static String list(List<String> names) {
    return names.stream().map(Sql::quoted).collect(Collectors.joining(", "));
  }

  /** Returns this key's rows in one of the tables about constraints. */
  List<Object[]> rows(String view) {
    Object[] constraint = {table[0], table[1], name};
    return switch (view) {
      case "table_constraints" -> List.<Object[]>of(new Object[] {constraint, table,
          parent == null ? "PRIMARY KEY" : "FOREIGN KEY", "NO", "NO", "NO"});
      case "key_column_usage" -> each(columns, (column, position) -> new Object[] {
          constraint, table, column, position, parent == null ? null : position});
      case "referential_constraints" -> parent == null
          ? List.of()
          : List.<Object[]>of(new Object[] {constraint, parent[0], parent[1],
              Constraints.primary(parent), "FULL", "NO ACTION", "NO ACTION"});
      case "constraint_column_usage" -> each(parent == null ? columns : to,
          (column, position) -> new Object[] {
              parent == null ? table : parent, column, constraint});
      default -> List.of();
    };
  }

  private interface Row {
    Object[] of(String column, int position);
  }

  private static List<Object[]> each(List<String> columns, Row row) {
    List<Object[]> rows = new ArrayList<>();
    for (String column : columns) {
      rows.add(row.of(column, rows.size() + 1));
    }
    return rows;
  }
}
