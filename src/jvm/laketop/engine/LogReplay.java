package laketop.engine;

import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.ColumnarRule;
import org.apache.spark.sql.execution.DeserializeToObjectExec;
import org.apache.spark.sql.execution.ProjectExec;
import org.apache.spark.sql.execution.RDDScanExec;
import org.apache.spark.sql.execution.SerializeFromObjectExec;
import org.apache.spark.sql.execution.SparkPlan;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Has the rows of Delta's log interpreted where Spark would generate code for them.
 *
 * <p>A row of the log is too wide for code of a whole stage, so each task of each statement wrote
 * its projections anew, some hundred kilobytes of Java for a handful of rows: a fifth of what the
 * engine's threads did in small statements.
 */
final class LogReplay extends ColumnarRule {
  private static final Set<String> ACTIONS = Set.of("add", "remove", "metaData", "protocol");

  @Override
  public Rule<SparkPlan> postColumnarTransitions() {
    return new Rule<>() {
      @Override
      public SparkPlan apply(SparkPlan plan) {
        return (SparkPlan) plan.transformUp(new Each<>(LogReplay::interpreted));
      }
    };
  }

  private static SparkPlan interpreted(SparkPlan plan) {
    return isLog(plan) ? new Interpreted(plan) : plan;
  }

  /** Says whether a node reads or makes rows of the log. */
  private static boolean isLog(SparkPlan plan) {
    boolean projects = plan instanceof ProjectExec
        || plan instanceof SerializeFromObjectExec
        || plan instanceof DeserializeToObjectExec
        || plan instanceof RDDScanExec;
    return projects && plan.subqueries().isEmpty() && (areActions(plan.output())
        || CollectionConverters.asJava(plan.children()).stream()
            .anyMatch(child -> areActions(child.output())));
  }

  private static boolean areActions(Seq<Attribute> columns) {
    return CollectionConverters.asJava(columns).stream()
        .map(Attribute::name)
        .collect(Collectors.toSet())
        .containsAll(ACTIONS);
  }
}
