package laketop.engine;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Literal$;
import org.apache.spark.sql.catalyst.expressions.SemiStructuredExtract;
import org.apache.spark.sql.catalyst.expressions.objects.Invoke;
import org.apache.spark.sql.catalyst.plans.logical.AlterViewAs;
import org.apache.spark.sql.catalyst.plans.logical.CreateView;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.command.CreateViewCommand;
import org.apache.spark.sql.types.AbstractDataType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.ObjectType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.VariantType;
import scala.Option;
import scala.Some;
import scala.jdk.javaapi.CollectionConverters;

/** The operator {@code :}, which Spark has for VARIANT only, on texts that hold JSON. */
final class SemiStructured {
  /** The function that it becomes: Spark builds that when it knows the types. */
  static final String NAME = ":";

  private static final String BRACKETS = "\\[[^\\]]*\\]";
  private static final Pattern PATH = Pattern.compile(
      ":\\s*(?:\\w+|`x*`|" + BRACKETS + ")(?:\\s*\\.\\s*(?:\\w+|`x*`)|\\s*" + BRACKETS + ")*");
  private static final Pattern EACH = Pattern.compile("\\[\\s*\\*\\s*\\]");

  private SemiStructured() {}

  /** Returns the text with {@code [*]} of paths, which Spark's grammar lacks, as an index. */
  static String indexed(String sql) {
    if (!EACH.matcher(sql).find()) {
      return sql;
    }
    String blanked = Sql.blanked(sql);
    StringBuilder out = new StringBuilder();
    int from = 0;
    Matcher paths = PATH.matcher(blanked);
    while (paths.find()) {
      Matcher each = EACH.matcher(blanked).region(paths.start(), paths.end());
      while (each.find()) {
        out.append(sql, from, each.start()).append("[").append(JsonPath.EACH).append("]");
        from = each.end();
      }
    }
    return out.append(sql, from, sql.length()).toString();
  }

  /** Returns the plan with the user's own text, where it keeps one. */
  static LogicalPlan kept(LogicalPlan plan) {
    if (!(plan instanceof CreateView || plan instanceof CreateViewCommand
        || plan instanceof AlterViewAs)) {
      return plan;
    }
    Object[] parts = CollectionConverters.asJava(plan.productIterator().toSeq()).toArray();
    for (int i = 0; i < parts.length; i++) {
      if (parts[i] instanceof String text) {
        parts[i] = JsonPath.shown(text);
      } else if (parts[i] instanceof Some<?> some && some.get() instanceof String text) {
        parts[i] = Option.apply(JsonPath.shown(text));
      }
    }
    return (LogicalPlan) plan.makeCopy(parts);
  }

  /** Returns the functions that parsed statements call in place of the operator. */
  static Map<String, Function<List<Expression>, Expression>> functions() {
    return Map.of(NAME, SemiStructured::build);
  }

  /** Returns the call of the function that stands for the operator, or what is no operator. */
  static Expression called(Expression expression) {
    if (!(expression instanceof SemiStructuredExtract operator)) {
      return expression;
    }
    List<Expression> arguments =
        List.of(operator.child(), Literal$.MODULE$.apply(operator.field()));
    return SparkApi.call(List.of(NAME), arguments);
  }

  /** Builds what answers the call, by the type of what the path leads into. */
  private static Expression build(List<Expression> arguments) {
    if (arguments.size() != 2 || !(arguments.get(1) instanceof Literal path)
        || !(path.dataType() instanceof StringType) || path.value() == null) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "`:` is an operator: write the column, `:` and a path, such as `raw:a.b[0]`.");
    }
    String written = path.value().toString();
    Expression value = arguments.get(0);
    DataType type = value.dataType();
    if (type instanceof VariantType) {
      if (JsonPath.of(written).several()) {
        throw Refusal.of("UNSUPPORTED_FEATURE", "The path " + JsonPath.shown(written)
            + " has [*], which a VARIANT does not take; use variant_explode.");
      }
      return new SemiStructuredExtract(value, written);
    }
    if (!(type instanceof StringType || type instanceof NullType)) {
      throw Refusal.of("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "The operator `:` takes JSON in a"
          + " STRING, or a VARIANT, but `" + value.sql() + "` is " + type.sql() + ".");
    }
    return extract(value, JsonPath.of(written));
  }

  private static Expression extract(Expression value, JsonPath path) {
    Expression text = value.dataType() instanceof NullType
        ? new Cast(value, DataTypes.StringType, Option.empty(), Cast.apply$default$4())
        : value;
    return new Invoke(new Literal(path, new ObjectType(JsonPath.class)), "extract",
        DataTypes.StringType, CollectionConverters.asScala(List.of(text)).toList(),
        CollectionConverters.asScala(
            List.<AbstractDataType>of()).toList(),
        true, true, true);
  }
}
