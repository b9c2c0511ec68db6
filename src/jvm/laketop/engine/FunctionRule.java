package laketop.engine;

import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.catalyst.analysis.ExpressionWithUnresolvedIdentifier;
import org.apache.spark.sql.catalyst.analysis.PlanWithUnresolvedIdentifier;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAlias;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedDataSource;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.catalyst.trees.TreeNodeTag;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.command.ResetCommand;
import org.apache.spark.sql.execution.command.SetCommand;
import scala.Function2;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction2;

/** Makes a call of main.s.f, before it is resolved, a call of the function registered for it. */
final class FunctionRule extends Rule<LogicalPlan> {
  private static final String PATH = "spark.sql.path.enabled";

  /** Marks the calls of row filters and column masks, which need no grant. */
  static final TreeNodeTag<Boolean> OF_POLICY = new TreeNodeTag<>("laketop.policy");

  private final SparkSession session;

  FunctionRule(SparkSession session) {
    this.session = session;
  }

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    Sessions.announce(session);
    refusePath(plan);
    PathAccess.requireCheckpoint(session, plan);
    PathAccess.requireFiles(session, plan);
    Clones.require(session, plan);
    LogicalPlan covered = new PolicyRule(session).apply(plan);
    LogicalPlan calls =
        covered.transformAllExpressions(new Each<Expression>(this::call));
    return tables(calls);
  }

  /** By a path names mean other objects than those that the grants are asked about. */
  private void refusePath(LogicalPlan plan) {
    boolean sets = plan instanceof SetCommand || plan instanceof ResetCommand;
    if (!sets && session.sessionState().conf().getConfString(PATH, "false").equals("true")) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "A path of schemas (" + PATH + ") is not supported;"
          + " unset it, and write the names of objects with their schema, or USE it.");
    }
  }

  private Expression call(Expression expression) {
    if (expression instanceof UnresolvedAlias alias && alias.aliasFunc().isEmpty()
        && alias.child().exists(child -> ours((Expression) child))) {
      return alias.copy(alias.child(), Option.apply(FunctionRule::title));
    }
    if (expression instanceof ExpressionWithUnresolvedIdentifier named
        && !(named.exprBuilder() instanceof Looked)) {
      return named.copy(named.identifierExpr(), named.otherExprs(),
          new Looked<>(named.exprBuilder(), this::calls));
    }
    if (!(expression instanceof UnresolvedFunction f)) {
      return SemiStructured.called(expression);
    }
    PythonFunction python = python(f.nameParts());
    if (python != null) {
      return python.call(session, f);
    }
    Seq<String> name = registered(f.nameParts());
    if (name == null && f.getTagValue(OF_POLICY).isEmpty()) {
      requireHidden(f.nameParts());
    }
    if (name == null) {
      RefusedFunctions.check(CollectionConverters.asJava(f.nameParts()));
    } else {
      Functions.requireArity(
          CollectionConverters.asJava(name), CollectionConverters.asJava(f.arguments()));
    }
    return name == null ? f : f.copy(name, f.arguments(), f.isDistinct(), f.filter(),
        f.ignoreNulls(), f.orderingWithinGroup(), f.isInternal());
  }

  private Expression calls(Expression expression) {
    return (Expression) expression.transformUp(new Each<Expression>(this::call));
  }

  private LogicalPlan tables(LogicalPlan plan) {
    return (LogicalPlan) plan.transformUp(new Each<LogicalPlan>(this::table));
  }

  private boolean ours(Expression expression) {
    return expression instanceof ExpressionWithUnresolvedIdentifier // whose name is not known yet
        || expression instanceof UnresolvedFunction f && registered(f.nameParts()) != null;
  }

  /** Returns the name of a column that nobody named, as people know its functions. */
  private static String title(Expression expression) {
    return ShownNames.in(SparkApi.pretty(expression));
  }

  private LogicalPlan table(LogicalPlan plan) {
    if (plan instanceof PlanWithUnresolvedIdentifier named
        && !(named.planBuilder() instanceof Looked)) {
      return named.copy(named.identifierExpr(), named.children(),
          new Looked<>(named.planBuilder(), this::tables));
    }
    if (plan instanceof UnresolvedTableValuedFunction f && ReadFiles.is(f)) {
      return ReadFiles.plan(session, f);
    }
    if (plan instanceof UnresolvedTableValuedFunction f && Described.is(f)) {
      return Described.plan(session, f);
    }
    if (plan instanceof UnresolvedTableValuedFunction f && ListedTables.is(f)) {
      return ListedTables.plan(session, f);
    }
    if (plan instanceof UnresolvedDataSource read) {
      return RescuedFormat.resolved(read);
    }
    if (plan instanceof UnresolvedTableValuedFunction f) {
      Seq<String> written = SparkApi.name(f);
      Seq<String> name = registered(written);
      if (name == null) {
        requireHidden(written);
        RefusedFunctions.check(CollectionConverters.asJava(written));
      }
      refuseQueries(f, name);
      return f.copy(name == null ? written : name, f.functionArgs(), f.isStreaming());
    }
    return plan;
  }

  /** Spark puts arguments into the body of a table function, which reads what its owner may. */
  private void refuseQueries(UnresolvedTableValuedFunction f, Seq<String> registered) {
    boolean ours = registered != null
        || Functions.hidden(session, CollectionConverters.asJava(SparkApi.name(f))) != null;
    boolean queries = CollectionConverters.asJava(f.functionArgs()).stream()
        .anyMatch(argument -> argument.exists(part -> part instanceof PlanExpression<?>));
    if (ours && queries && !Users.isAdmin(Sessions.user(session))) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "A query as the argument of a table function is not"
          + " supported; join its rows: FROM (SELECT ...) AS q, LATERAL f(q.x).");
    }
  }

  private Seq<String> registered(Seq<String> written) {
    List<String> whole = Functions.ofBody(CollectionConverters.asJava(written));
    if (whole != null) {
      return CollectionConverters.asScala(whole).toList();
    }
    String[] name = Functions.qualify(session, CollectionConverters.asJava(written));
    List<String> registered = name == null ? null : Functions.resolve(session, name);
    if (registered != null) {
      requireExecute(name);
    }
    return registered == null ? null : CollectionConverters.asScala(registered).toList();
  }

  /** The name that Spark has for a function of ours is no way around the grants. */
  private void requireHidden(Seq<String> written) {
    String[] hidden = Functions.hidden(session, CollectionConverters.asJava(written));
    if (hidden != null) {
      requireExecute(hidden);
    }
  }

  private PythonFunction python(Seq<String> written) {
    String[] name = Functions.qualify(session, CollectionConverters.asJava(written));
    PythonFunction python = name == null ? null : PythonFunction.read(session, name);
    if (python != null) {
      requireExecute(name);
    }
    return python;
  }

  private void requireExecute(String[] name) {
    if (!AccessRule.forView(session)) {
      String user = Sessions.user(session);
      Access.require(user, "EXECUTE", "FUNCTION", String.join(".", name));
    }
  }

  /** Makes what IDENTIFIER() names, and looks at it as if the name had been written out. */
  private static final class Looked<C, T> extends AbstractFunction2<Seq<String>, Seq<C>, T> {
    private final Function2<Seq<String>, Seq<C>, T> make;
    private final UnaryOperator<T> look;

    Looked(Function2<Seq<String>, Seq<C>, T> make, UnaryOperator<T> look) {
      this.make = make;
      this.look = look;
    }

    @Override
    public T apply(Seq<String> name, Seq<C> children) {
      return look.apply(make.apply(name, children));
    }
  }
}
