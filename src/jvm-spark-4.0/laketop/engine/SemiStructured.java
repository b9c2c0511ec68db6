package laketop.engine;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/** The operator {@code :}, which the grammar of this version lacks: {@code Lacking} says so. */
final class SemiStructured {
  static final String NAME = ":";

  private SemiStructured() {}

  static String indexed(String sql) {
    return sql;
  }

  static LogicalPlan kept(LogicalPlan plan) {
    return plan;
  }

  static Map<String, Function<List<Expression>, Expression>> functions() {
    return Map.of();
  }

  static Expression called(Expression expression) {
    return expression;
  }
}
