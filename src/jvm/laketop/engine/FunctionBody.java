package laketop.engine;

import java.util.List;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The body of a SQL function that is being made.
 *
 * <p>Spark looks for circles in it, and for that finds other functions by two parts only.
 */
final class FunctionBody {
  private final SparkSession session;

  FunctionBody(SparkSession session) {
    this.session = session;
  }

  LogicalPlan plan(LogicalPlan plan) {
    LogicalPlan calls = plan.transformAllExpressions(new Each<Expression>(this::call));
    return calls.transformUp(new Each<LogicalPlan>(node ->
        node instanceof UnresolvedTableValuedFunction f ? rows(f) : node));
  }

  private LogicalPlan rows(UnresolvedTableValuedFunction f) {
    return ReadFiles.is(f)
        ? ReadFiles.plan(session, f)
        : f.copy(name(SparkApi.name(f)), f.functionArgs(), f.isStreaming());
  }

  Expression expression(Expression expression) {
    return (Expression) expression.transform(new Each<Expression>(this::call));
  }

  private Expression call(Expression expression) {
    if (expression instanceof SubqueryExpression query) {
      return query.withNewPlan(plan((LogicalPlan) query.plan()));
    }
    return expression instanceof UnresolvedFunction f
        ? f.copy(name(f.nameParts()), f.arguments(), f.isDistinct(), f.filter(), f.ignoreNulls(),
            f.orderingWithinGroup(), f.isInternal())
        : expression;
  }

  private Seq<String> name(Seq<String> written) {
    List<String> found = Functions.inBody(session, CollectionConverters.asJava(written));
    return CollectionConverters.asScala(found).toList();
  }
}
