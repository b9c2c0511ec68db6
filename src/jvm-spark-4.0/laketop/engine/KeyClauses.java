package laketop.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The constraints that CREATE TABLE itself names, which the grammar of this version lacks.
 *
 * <p>The parser cuts them out of the statement and gives them to the plan as a property, which the
 * catalog makes constraints of when the table is there.
 */
record KeyClauses(String rest, List<TableConstraint> constraints) {
  static final String PROPERTY = "laketop.constraints";
  private static final int FLAGS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;
  private static final String NAME = "(?:`[^`]+`|\\w+)";
  private static final String KEY = "(?<key>PRIMARY\\s+KEY\\s*\\([^)]*\\)|FOREIGN\\s+KEY\\s*\\([^)]*\\)"
      + "\\s*REFERENCES\\s+" + NAME + "(?:\\." + NAME + ")*\\s*(?:\\([^)]*\\))?)";
  private static final String OPTIONS = "(?:\\s+(?:NOT\\s+ENFORCED|NORELY|RELY|DEFERRABLE"
      + "|INITIALLY\\s+DEFERRED|MATCH\\s+FULL|ON\\s+(?:UPDATE|DELETE)\\s+NO\\s+ACTION))*";
  private static final Pattern CLAUSE = Pattern.compile("\\s*(?:CONSTRAINT\\s+(?<name>" + NAME
      + ")\\s+)?(?:" + KEY + OPTIONS + "|CHECK\\s*\\((?<check>.*)\\)(?:\\s+ENFORCED)?)\\s*", FLAGS);
  private static final Pattern OF_COLUMN = Pattern.compile("\\s*(?<column>" + NAME + ")\\s.*?(?<clause>"
      + "(?:\\s+CONSTRAINT\\s+(?<name>" + NAME + "))?\\s+PRIMARY\\s+KEY" + OPTIONS + ")\\b.*", FLAGS);
  private static final Pattern ANY =
      Pattern.compile("\\b(?:PRIMARY\\s+KEY|FOREIGN\\s+KEY|CHECK)\\b", FLAGS);
  private static final Pattern ADD = Pattern.compile(
      "ALTER\\s+TABLE\\s+(?<table>\\S+)\\s+ADD\\s+(?<clause>.*)", FLAGS);

  /** Returns the constraints of a statement, or null where it has none. */
  static KeyClauses of(String sql) {
    if (!ANY.matcher(sql).find()) {
      return null;
    }
    String blank = Sql.blanked(sql);
    Matcher head = PolicyClauses.HEAD.matcher(blank);
    if (!head.lookingAt() || head.group("open") == null) {
      return null;
    }
    String table = table(head, sql);
    List<TableConstraint> found = new ArrayList<>();
    List<int[]> cuts = new ArrayList<>();
    for (int[] part : PolicyClauses.columns(blank, head.end())) {
      Matcher clause = CLAUSE.matcher(blank).region(part[0], part[1]);
      Matcher column = OF_COLUMN.matcher(blank).region(part[0], part[1]);
      if (clause.matches()) {
        found.add(read(sql, clause, table));
        boolean first = part[0] == head.end();
        cuts.add(new int[] {first ? part[0] : part[0] - 1, part[1]});
      } else if (column.matches()) {
        String name = sql.substring(column.start("column"), column.end("column"));
        found.add(primary(written(sql, column, "name"), table, "PRIMARY KEY (" + name + ")"));
        cuts.add(new int[] {column.start("clause"), column.end("clause")});
      }
    }
    return cuts.isEmpty() ? null : new KeyClauses(PolicyClauses.without(sql, cuts), found);
  }

  /** Returns the constraint that ALTER TABLE ... ADD names, or null for another statement. */
  static Map.Entry<String, TableConstraint> added(String sql) {
    String blank = Sql.blanked(sql);
    Matcher add = ADD.matcher(blank);
    if (!add.matches()) {
      return null;
    }
    Matcher clause = CLAUSE.matcher(blank).region(add.start("clause"), add.end("clause"));
    if (!clause.matches() || clause.group("key") == null) {
      return null;
    }
    String table = written(sql, add, "table");
    return Map.entry(table, read(sql, clause, last(table)));
  }

  private static String table(Matcher head, String sql) {
    return last(sql.substring(0, head.end()).replaceAll("\\s*\\($", "").strip());
  }

  private static String last(String name) {
    return name.replaceAll("(?s).*[.\\s]", "").replace("`", "");
  }

  private static TableConstraint read(String sql, Matcher clause, String table) {
    String name = written(sql, clause, "name");
    String check = written(sql, clause, "check");
    if (check != null) {
      String given = name == null ? table + "_chk" : name.replace("`", "");
      return new TableConstraint(given, "CONSTRAINT " + given + " CHECK (" + check + ")", check);
    }
    String key = spaced(written(sql, clause, "key"));
    return key.startsWith("FOREIGN")
        ? kept(name == null ? table + "_fk" : name, key)
        : primary(name, table, key);
  }

  private static TableConstraint primary(String name, String table, String key) {
    return kept(name == null ? table + "_pk" : name, key);
  }

  private static TableConstraint kept(String name, String key) {
    return new TableConstraint(
        name.replace("`", ""), "CONSTRAINT " + name + " " + key + " NOT ENFORCED NORELY", null);
  }

  /** Returns a key as Spark's later versions write it, with one space between its words. */
  private static String spaced(String key) {
    String one = key.replaceAll("\\s+", " ").replaceAll("\\s*\\(\\s*", " (").replaceAll("\\s+\\)", ")");
    for (String word : List.of("primary key", "foreign key", "references")) {
      one = one.replaceFirst("(?i)\\b" + word + "\\b", word.toUpperCase(java.util.Locale.ROOT));
    }
    return one;
  }

  private static String written(String sql, Matcher words, String group) {
    return words.group(group) == null ? null : sql.substring(words.start(group), words.end(group));
  }

  /** Returns the constraints as a property of the table that is to be made. */
  String text() {
    return JsonFiles.text(constraints.stream()
        .map(c -> new String[] {c.name(), c.text(), c.check()})
        .toArray(String[][]::new));
  }

  /** Returns the constraints that {@link #text} tells. */
  static List<TableConstraint> read(String text) {
    return Arrays.stream(JsonFiles.parse(text, String[][].class))
        .map(c -> new TableConstraint(c[0], c[1], c[2]))
        .toList();
  }
}
