package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The names of table functions with their schema, which the grammar of this version lacks.
 *
 * <p>It reads {@code main.s.f()} as one quoted name, whose parts stand apart by a character that is
 * in no name.
 */
final class TableFunctionNames {
  private static final String CONDITION = "INVALID_SQL_SYNTAX.INVALID_TABLE_VALUED_FUNC_NAME";
  private static final String BETWEEN = "\u001f";
  private static final String PART = "`(?:[^`]|``)+`|\\w+";
  private static final Pattern NAME =
      Pattern.compile("(?:" + PART + ")(?:\\s*\\.\\s*(?:" + PART + "))+");
  private static final Pattern PARTS = Pattern.compile(PART);
  private static final Pattern JOINED = Pattern.compile("`([^`]*" + BETWEEN + "[^`]*)`");

  private TableFunctionNames() {}

  /** What parses a text. */
  interface Parser {
    LogicalPlan parse(String sql) throws ParseException;
  }

  /** Parses a text with what Spark does not let stand there read as one name. */
  static LogicalPlan parse(String sql, Parser parser) throws ParseException {
    String text = sql;
    while (true) {
      try {
        return parser.parse(text);
      } catch (ParseException e) {
        String joined = CONDITION.equals(e.getCondition()) ? joined(text, e) : text;
        if (joined.equals(text)) {
          throw e;
        }
        text = joined;
      }
    }
  }

  private static String joined(String sql, ParseException e) {
    int at = 0;
    for (int line = 1; line < (int) (Object) e.start().line().get(); line++) {
      at = sql.indexOf('\n', at) + 1;
    }
    at += (int) (Object) e.start().startPosition().get();
    Matcher name = NAME.matcher(sql).region(at, sql.length());
    if (!name.lookingAt()) {
      return sql;
    }
    List<String> parts = new ArrayList<>();
    PARTS.matcher(name.group()).results().forEach(part -> parts.add(plain(part.group())));
    String one = Sql.quoted(String.join(BETWEEN, parts));
    return sql.substring(0, at) + one + sql.substring(name.end());
  }

  private static String plain(String part) {
    return part.startsWith("`") ? part.substring(1, part.length() - 1).replace("``", "`") : part;
  }

  /** Returns the parts that the one name was made of. */
  static Seq<String> parts(Seq<String> name) {
    return name.size() == 1
        ? CollectionConverters.asScala(List.of(name.head().split(BETWEEN))).toList()
        : name;
  }

  /** Returns a text with the names in it as they were before they were made one. */
  static String written(String sql) {
    return JOINED.matcher(sql).replaceAll(name -> Matcher.quoteReplacement(
        List.of(name.group(1).split(BETWEEN)).stream()
            .map(Sql::name)
            .collect(Collectors.joining("."))));
  }
}
