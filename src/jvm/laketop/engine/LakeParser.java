package laketop.engine;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunctionName;
import org.apache.spark.sql.catalyst.analysis.UnresolvedIdentifier;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.parser.ParserInterface;
import org.apache.spark.sql.catalyst.plans.logical.CreateUserDefinedFunction;
import org.apache.spark.sql.catalyst.plans.logical.DescribeFunction;
import org.apache.spark.sql.catalyst.plans.logical.DropFunction;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Turns the statements that Spark's grammar lacks into calls of a procedure of ours. */
abstract class LakeParser implements ParserInterface {
  private static final Pattern USE =
      Pattern.compile("USE\\s+CATALOG\\s+(.+)", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  final SparkSession session;
  final ParserInterface inner;

  LakeParser(SparkSession session, ParserInterface inner) {
    this.session = session;
    this.inner = inner;
  }

  @Override
  public LogicalPlan parsePlan(String sql) throws ParseException {
    Catalogs.sync(session, sql);
    PythonFunction.Written python = PythonFunction.written(sql);
    if (python != null) {
      return function(inner.parsePlan(python.sql()), python.sql(), python.body());
    }
    LogicalPlan ours = ours(sql);
    if (ours != null) {
      return ours;
    }
    PolicyClauses policies = PolicyClauses.of(session, sql);
    return policies == null
        ? body(function(understood(sql, spark(sql)), sql, ""))
        : policies.carried(spark(policies.rest()));
  }

  /** Returns the plan of the statement in what this version of Spark can carry out. */
  abstract LogicalPlan understood(String sql, LogicalPlan parsed) throws ParseException;

  /** Understands what Databricks has beyond Spark's grammar, where Spark does not understand. */
  private LogicalPlan spark(String sql) throws ParseException {
    Constraints.forget();
    String indexed = SemiStructured.indexed(sql);
    if (!indexed.equals(sql)) {
      return SemiStructured.kept(spark(indexed));
    }
    try {
      return parsed(sql);
    } catch (ParseException e) {
      String plain = Constraints.withoutTimeseries(Sql.travelled(sql));
      String known = Described.functions(plain);
      if (known.equals(sql)) {
        throw e;
      }
      LogicalPlan plan = parsed(known);
      return known.equals(plain) ? plan : Described.read(plan);
    }
  }

  /** Parses as if laketop were not there. */
  LogicalPlan plain(String sql) throws ParseException {
    return parsed(SemiStructured.indexed(sql));
  }

  /** Parses what Spark's grammar has. */
  LogicalPlan parsed(String sql) throws ParseException {
    return inner.parsePlan(sql);
  }

  /** Parses a query, which Spark's grammar has. */
  LogicalPlan queried(String sql) throws ParseException {
    return inner.parseQuery(sql);
  }

  final LogicalPlan ours(String sql) throws ParseException {
    String bare = Statements.candidate(sql);
    if (bare == null) {
      return null;
    }
    Matcher use = USE.matcher(bare);
    if (use.matches()) {
      return inner.parsePlan("SET CATALOG " + use.group(1));
    }
    return isOurs(bare) ? called(bare) : null;
  }

  /** Returns whether it is a statement that laketop carries out itself. */
  boolean isOurs(String bare) {
    return Statements.has(bare);
  }

  /** Returns the call that carries out a statement of ours. */
  LogicalPlan called(String bare) throws ParseException {
    return inner.parsePlan(Procedure.call(Map.of("sql", bare)));
  }

  /** Spark knows SQL functions in its session catalog only: laketop makes and drops them itself. */
  private LogicalPlan function(LogicalPlan plan, String sql, String python)
      throws ParseException {
    if (plan instanceof CreateUserDefinedFunction f
        && f.child() instanceof UnresolvedIdentifier id) {
      return inner.parsePlan(Procedure.call(Map.of(
          "function", "create", "name", name(id.nameParts()), "sql", sql, PythonFunction.BODY, python)));
    }
    if (plan instanceof DropFunction f && written(f.child()) != null) {
      return inner.parsePlan(Procedure.call(Map.of(
          "function", "drop", "name", name(written(f.child())), "guard", "" + f.ifExists())));
    }
    if (plan instanceof DescribeFunction f && f.child() instanceof UnresolvedFunctionName id) {
      List<String> written = CollectionConverters.asJava(id.multipartIdentifier());
      String[] hidden = Functions.hidden(session, written);
      String[] name = hidden == null ? Functions.qualify(session, written) : hidden;
      return name == null || !Functions.exists(name)
          ? plan
          : inner.parsePlan(Procedure.call(Map.of("function", "describe",
              "name", String.join(".", name), "extended", "" + f.isExtended())));
    }
    return plan;
  }

  private static Seq<String> written(LogicalPlan name) {
    return name instanceof UnresolvedIdentifier id ? id.nameParts()
        : name instanceof UnresolvedFunctionName id ? id.multipartIdentifier()
        : null;
  }

  private String name(Seq<String> written) {
    String[] name = Functions.qualify(session, CollectionConverters.asJava(written));
    if (name == null) {
      throw SessionCatalog.refusal(written.last());
    }
    for (String part : name) {
      Names.checked(part);
    }
    return String.join(".", name);
  }

  @Override
  public Seq<String> parseMultipartIdentifier(String sql) throws ParseException {
    Catalogs.sync(session, sql);
    // spark.catalog.listFunctions reads the name of each function, of which this one is a sign
    return sql.equals(SemiStructured.NAME)
        ? CollectionConverters.asScala(List.of(sql)).toList()
        : inner.parseMultipartIdentifier(sql);
  }

  @Override
  public LogicalPlan parseQuery(String sql) throws ParseException {
    Catalogs.sync(session, sql);
    return body(queried(SemiStructured.indexed(sql)));
  }

  @Override
  public Expression parseExpression(String sql) throws ParseException {
    Expression parsed = inner.parseExpression(SemiStructured.indexed(sql));
    return Functions.creating() ? new FunctionBody(session).expression(parsed) : parsed;
  }

  private LogicalPlan body(LogicalPlan parsed) {
    return Functions.creating() ? new FunctionBody(session).plan(parsed) : parsed;
  }

  @Override
  public TableIdentifier parseTableIdentifier(String sql) throws ParseException {
    return inner.parseTableIdentifier(sql);
  }

  @Override
  public FunctionIdentifier parseFunctionIdentifier(String sql) throws ParseException {
    return inner.parseFunctionIdentifier(sql);
  }

  @Override
  public StructType parseRoutineParam(String sql) throws ParseException {
    return inner.parseRoutineParam(sql);
  }

  @Override
  public StructType parseTableSchema(String sql) throws ParseException {
    return inner.parseTableSchema(sql);
  }

  @Override
  public DataType parseDataType(String sql) throws ParseException {
    return inner.parseDataType(sql);
  }
}
