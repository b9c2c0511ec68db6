package laketop.engine;

import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunctionName;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.DescribeFunction;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.classic.SparkSession;
import scala.Function1;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractPartialFunction;

/** Makes a call of main.s.f, before it is resolved, a call of the function registered for it. */
final class FunctionRule extends Rule<LogicalPlan> {
  private final SparkSession session;

  FunctionRule(SparkSession session) {
    this.session = session;
  }

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    Sessions.announce(session);
    LogicalPlan calls =
        plan.transformAllExpressions(new Each<Expression>(this::call));
    return calls.transformUp(new Each<LogicalPlan>(this::table));
  }

  private Expression call(Expression expression) {
    if (!(expression instanceof UnresolvedFunction f)) {
      return expression;
    }
    Seq<String> name = registered(f.nameParts());
    return name == null ? f : f.copy(name, f.arguments(), f.isDistinct(), f.filter(),
        f.ignoreNulls(), f.orderingWithinGroup(), f.isInternal());
  }

  private LogicalPlan table(LogicalPlan plan) {
    if (plan instanceof UnresolvedTableValuedFunction f) {
      Seq<String> name = registered(f.name());
      return name == null ? f : f.copy(name, f.functionArgs(), f.isStreaming());
    }
    if (plan instanceof DescribeFunction d && d.child() instanceof UnresolvedFunctionName f) {
      Seq<String> name = registered(f.multipartIdentifier());
      return name == null
          ? d
          : d.copy(f.copy(name, f.commandName(), f.possibleQualifiedName()), d.isExtended());
    }
    return plan;
  }

  private Seq<String> registered(Seq<String> written) {
    String[] name = Functions.qualify(session, CollectionConverters.asJava(written));
    List<String> registered = name == null ? null : Functions.resolve(session, name);
    return registered == null ? null : CollectionConverters.asScala(registered).toList();
  }

  /** A function of Java where Scala wants a partial one. */
  private static final class Each<T> extends AbstractPartialFunction<T, T> {
    private final UnaryOperator<T> change;

    Each(UnaryOperator<T> change) {
      this.change = change;
    }

    @Override
    public boolean isDefinedAt(T value) {
      return true;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <A extends T, B> B applyOrElse(A value, Function1<A, B> otherwise) {
      return (B) change.apply(value);
    }
  }
}
