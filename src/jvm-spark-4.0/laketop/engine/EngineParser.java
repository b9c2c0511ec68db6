package laketop.engine;

import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.parser.ParserInterface;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.command.CreateTableLikeCommand;

/** The parser of this version of Spark, which binds parameters only when it has parsed. */
final class EngineParser extends LakeParser {
  EngineParser(SparkSession session, ParserInterface inner) {
    super(session, inner);
  }

  @Override
  public LogicalPlan parsePlan(String sql) throws ParseException {
    Catalogs.sync(session, sql);
    try {
      String plain = Constraints.withoutTimeseries(sql);
      Map.Entry<String, TableConstraint> added = KeyClauses.added(plain);
      if (added != null) {
        return inner.parsePlan(Procedure.call(Map.of(EngineProcedure.KEY, sql)));
      }
      if (LikeTable.of(plain) != null) {
        return inner.parsePlan(Procedure.call(Map.of(LikeTable.KEY, sql)));
      }
      KeyClauses keys = KeyClauses.of(plain);
      if (keys == null) {
        return super.parsePlan(sql);
      }
      LogicalPlan table = super.parsePlan(keys.rest());
      Constraints.withoutTimeseries(sql); // which parsing the rest has forgotten
      return PolicyClauses.carried(table, KeyClauses.PROPERTY, keys.text());
    } catch (ParseException e) {
      Lacking.refuse(sql, e);
      throw e;
    }
  }

  @Override
  LogicalPlan parsed(String sql) throws ParseException {
    Lacking.refuse(sql);
    return TableFunctionNames.parse(sql, inner::parsePlan);
  }

  @Override
  LogicalPlan queried(String sql) throws ParseException {
    Lacking.refuse(sql);
    return TableFunctionNames.parse(sql, inner::parseQuery);
  }

  /** A parameter may stand for a part of a name, of which only its place is known yet. */
  @Override
  boolean isOurs(String bare) {
    return super.isOurs(bare) || Statements.has(Sql.named(Markers.placed(bare)));
  }

  /** Spark binds the parameters as arguments of the call. */
  @Override
  LogicalPlan called(String bare) throws ParseException {
    List<String> markers = Markers.of(bare);
    String call = Procedure.call(Map.of("sql", bare));
    return inner.parsePlan(markers.isEmpty()
        ? call
        : call.substring(0, call.length() - 1) + ", " + String.join(", ", markers) + ")");
  }

  @Override
  LogicalPlan understood(String sql, LogicalPlan parsed) throws ParseException {
    if (parsed instanceof CreateTableLikeCommand) {
      throw Lacking.refusal(Lacking.LIKE);
    }
    return ViewPlans.are(session, parsed)
        ? inner.parsePlan(Procedure.call(Map.of(EngineProcedure.SPARKS, sql)))
        : parsed;
  }
}
