package laketop.engine;

import java.util.Iterator;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.parser.NamedParameterContext;
import org.apache.spark.sql.catalyst.parser.ParameterContext;
import org.apache.spark.sql.catalyst.parser.PositionalParameterContext;
import scala.jdk.javaapi.CollectionConverters;

/** The values of {@code :name} and {@code ?} in statements of ours, which Spark does not parse. */
final class Parameters {
  private static final Pattern NAMED = Pattern.compile(":([A-Za-z_]\\w*)");
  private static final Pattern POSITIONAL = Pattern.compile("\\?");

  private Parameters() {}

  static String fill(String sql, ParameterContext context) {
    if (context instanceof NamedParameterContext named) {
      Map<String, Expression> values = CollectionConverters.asJava(named.params());
      return fill(sql, NAMED, marker -> literal(values.get(marker.substring(1)), marker));
    }
    Iterator<Expression> values =
        CollectionConverters.asJava(((PositionalParameterContext) context).params()).iterator();
    return fill(sql, POSITIONAL, marker -> literal(values.hasNext() ? values.next() : null, marker));
  }

  private static String fill(String sql, Pattern marker, UnaryOperator<String> value) {
    return Sql.outsideQuotes(Sql.bare(sql), text -> marker.matcher(text)
        .replaceAll(found -> Matcher.quoteReplacement(value.apply(found.group()))));
  }

  private static String literal(Expression value, String marker) {
    if (value == null) {
      throw Refusal.of("UNBOUND_SQL_PARAMETER",
          "The statement has the parameter " + marker + ", for which no value was given.");
    }
    return value.sql();
  }
}
