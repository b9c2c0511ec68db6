package laketop.engine;

import java.util.Iterator;
import org.apache.spark.sql.catalyst.parser.ParameterContext;
import org.apache.spark.sql.catalyst.parser.ParameterHandler;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.parser.ParserInterface;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import scala.Product;
import scala.collection.Iterable;
import scala.jdk.javaapi.CollectionConverters;

/** The parser of this version of Spark, which knows the values of parameters as it parses. */
final class EngineParser extends LakeParser {
  EngineParser(SparkSession session, ParserInterface inner) {
    super(session, inner);
  }

  /** Writes the values into the text here, since Delta's parser, which comes next, loses them. */
  @Override
  public LogicalPlan parsePlanWithParameters(String sql, ParameterContext context)
      throws ParseException {
    if (!given(context)) {
      return parsePlan(sql);
    }
    if (Statements.candidate(sql) != null) {
      Catalogs.sync(session, sql);
      LogicalPlan ours = ours(Parameters.fill(sql, context));
      if (ours != null) {
        return ours;
      }
    }
    return parsePlan(ParameterHandler.substituteParameters(sql, context)._1());
  }

  private static boolean given(ParameterContext context) {
    Iterator<Object> parts = CollectionConverters.asJava(((Product) context).productIterator());
    boolean given = false;
    while (parts.hasNext()) {
      given |= !(parts.next() instanceof Iterable<?> parameters && parameters.isEmpty());
    }
    return given;
  }

  @Override
  LogicalPlan understood(String sql, LogicalPlan parsed) throws ParseException {
    return ReplaceInsert.rewritten(session, inner, parsed);
  }
}
