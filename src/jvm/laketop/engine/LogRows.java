package laketop.engine;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.LogicalRDD;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Reads a small table's state from rows at hand, where Spark would run a job for each scan.
 *
 * <p>Delta asks the cached state of a table for its files whenever a statement is planned, and again
 * when it writes. For a table of a few files the job around that was most of the planning: its
 * closure and its plan are serialized, sent and read again.
 */
final class LogRows extends Rule<LogicalPlan> {
  /** The name that Delta gives to the cached rows of a table's state. */
  private static final String STATE = "Delta Table State";
  private static final int MOST_ROWS = 1_000;
  private static final Map<RDD<InternalRow>, Optional<Seq<InternalRow>>> TAKEN =
      Collections.synchronizedMap(new WeakHashMap<>());

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return (LogicalPlan) plan.transformUp(new Each<>(LogRows::atHand));
  }

  private static LogicalPlan atHand(LogicalPlan plan) {
    if (!(plan instanceof LogicalRDD state) || !isState(state.rdd())) {
      return plan;
    }
    Optional<Seq<InternalRow>> taken = TAKEN.get(state.rdd());
    if (taken == null) { // No lock is held while a job runs: two may take the same rows.
      taken = take(state.rdd());
      TAKEN.put(state.rdd(), taken);
    }
    return taken
        .<LogicalPlan>map(rows -> new LocalRelation(state.output(), rows, false, Option.empty()))
        .orElse(plan);
  }

  private static boolean isState(RDD<InternalRow> rdd) {
    return rdd.name() != null && rdd.name().startsWith(STATE) && rdd.getNumPartitions() == 1;
  }

  /** Returns the rows, or nothing where they are many: those stay with Spark. */
  private static Optional<Seq<InternalRow>> take(RDD<InternalRow> state) {
    var rows = Arrays.asList((InternalRow[]) state.take(MOST_ROWS + 1));
    return rows.size() > MOST_ROWS
        ? Optional.empty()
        : Optional.of(CollectionConverters.asScala(rows).toSeq());
  }
}
