package laketop.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.plans.logical.CreateTable;
import org.apache.spark.sql.catalyst.plans.logical.CreateTableAsSelect;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.ReplaceTable;
import org.apache.spark.sql.catalyst.plans.logical.ReplaceTableAsSelect;
import org.apache.spark.sql.catalyst.plans.logical.TableSpecBase;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedTableSpec;
import org.apache.spark.sql.classic.SparkSession;

/**
 * The row filter and the column masks that CREATE TABLE itself names, which Spark does not know.
 *
 * <p>The parser cuts them out of the statement and gives them to the plan as a property, which the
 * catalog turns into the policies of the table before there is one.
 */
record PolicyClauses(String rest, Map<String, String> entries) {
  static final String PROPERTY = "laketop.policies";
  private static final int FLAGS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;
  private static final String NAME = "(?:`[^`]+`|\\w+)";
  private static final String FUNCTION = "(?<function>" + NAME + "(?:\\." + NAME + ")*)";
  private static final String COLUMNS = "\\s*\\((?<columns>[^)]*)\\)";
  private static final Pattern EITHER = Pattern.compile("\\s(?:MASK|ROW\\s+FILTER)\\s", FLAGS);
  static final Pattern HEAD = Pattern.compile(
      "\\s*(?:CREATE\\s+(?:OR\\s+REPLACE\\s+)?|REPLACE\\s+)TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?"
          + "(?:IDENTIFIER\\s*\\([^)]*\\)|[^\\s(]+)\\s*(?<open>\\()?", FLAGS);
  private static final Pattern NESTED = Pattern.compile("\\b(?:ARRAY|MAP|STRUCT)\\s*$", FLAGS);
  private static final Pattern FILTER = Pattern.compile(
      "\\bWITH\\s+ROW\\s+FILTER\\s+" + FUNCTION + "\\s+ON" + COLUMNS, FLAGS);
  private static final Pattern MASK = Pattern.compile(
      "\\s*(?<column>" + NAME + ")\\s.*?(?<clause>\\s+MASK\\s+" + FUNCTION
          + "(?:\\s+USING\\s+COLUMNS" + COLUMNS + ")?).*", FLAGS);

  /** Returns the clauses of a statement, or null where it has none. */
  static PolicyClauses of(SparkSession session, String sql) {
    if (!EITHER.matcher(sql).find()) {
      return null;
    }
    String blank = Sql.blanked(sql);
    Matcher head = HEAD.matcher(blank);
    if (!head.lookingAt()) {
      return null;
    }
    Map<String, String> entries = new HashMap<>();
    List<int[]> cuts = new ArrayList<>();
    if (head.group("open") != null) {
      for (int[] column : columns(blank, head.end())) {
        Matcher mask = MASK.matcher(blank).region(column[0], column[1]);
        if (mask.matches()) {
          String name = written(sql, mask, "column").get(0);
          put(entries, "mask:" + Names.key(name), session, sql, mask);
          cuts.add(new int[] {mask.start("clause"), mask.end("clause")});
        }
      }
    }
    Matcher filter = FILTER.matcher(blank);
    if (filter.find()) {
      put(entries, "filter", session, sql, filter);
      cuts.add(new int[] {filter.start(), filter.end()});
    }
    return cuts.isEmpty() ? null : new PolicyClauses(without(sql, cuts), entries);
  }

  /** Returns where each column of a list begins and ends that begins here. */
  static List<int[]> columns(String blank, int from) {
    List<int[]> found = new ArrayList<>();
    int depth = 0;
    Deque<Integer> types = new ArrayDeque<>(); // by the depth at which each begins
    int start = from;
    for (int at = from; at < blank.length() && depth >= 0; at++) {
      char c = blank.charAt(at);
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (c == '<' && NESTED.matcher(blank.substring(start, at)).find()) {
        types.push(depth);
      } else if (c == '>') { // which may compare, as the other may: a type ends in its parentheses
        types.poll();
      }
      while (!types.isEmpty() && types.peek() > depth) {
        types.pop();
      }
      if (depth < 0 || depth == 0 && types.isEmpty() && c == ',') {
        found.add(new int[] {start, at});
        start = at + 1;
      }
    }
    return found;
  }

  private static void put(
      Map<String, String> entries, String key, SparkSession session, String sql, Matcher words) {
    String function = sql.substring(words.start("function"), words.end("function"));
    entries.put(key, String.join(".", Names.full(session, function)));
    entries.put(key + ":on", words.group("columns") == null
        ? ""
        : String.join(",", written(sql, words, "columns")));
  }

  /** Returns the names in a group, as they are written in the text. */
  private static List<String> written(String sql, Matcher words, String group) {
    String list = sql.substring(words.start(group), words.end(group));
    return Arrays.stream(list.split(",")).map(c -> c.trim().replace("`", "")).toList();
  }

  static String without(String sql, List<int[]> cuts) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (int[] cut : cuts) {
      out.append(sql, from, cut[0]).append(' ');
      from = cut[1];
    }
    return out.append(sql.substring(from)).toString();
  }

  /** Returns the plan of the rest with the clauses in it. */
  LogicalPlan carried(LogicalPlan plan) {
    return carried(plan, PROPERTY, JsonFiles.text(entries));
  }

  /** Returns the plan that makes a table with one more property. */
  static LogicalPlan carried(LogicalPlan plan, String property, String text) {
    if (plan instanceof CreateTable p) {
      return p.copy(p.name(), p.columns(), p.partitioning(), spec(p.tableSpec(), property, text),
          p.ignoreIfExists());
    }
    if (plan instanceof CreateTableAsSelect p) {
      return p.copy(p.name(), p.partitioning(), p.query(),
          spec(p.tableSpec(), property, text), p.writeOptions(),
          p.ignoreIfExists(), p.isAnalyzed());
    }
    if (plan instanceof ReplaceTable p) {
      return p.copy(p.name(), p.columns(), p.partitioning(), spec(p.tableSpec(), property, text),
          p.orCreate());
    }
    if (plan instanceof ReplaceTableAsSelect p) {
      return p.copy(p.name(), p.partitioning(), p.query(),
          spec(p.tableSpec(), property, text), p.writeOptions(),
          p.orCreate(), p.isAnalyzed());
    }
    throw Refusal.of("UNSUPPORTED_FEATURE", "Row filters, column masks and keys are of a table that"
        + " is created with columns or AS SELECT.");
  }

  private static TableSpecBase spec(TableSpecBase spec, String property, String text) {
    UnresolvedTableSpec s = (UnresolvedTableSpec) spec;
    return SparkApi.with(s, s.properties().updated(property, text));
  }
}
