package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.LocalTableScanExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import org.apache.spark.sql.execution.command.ExplainCommand;
import org.apache.spark.unsafe.types.UTF8String;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Carries EXPLAIN out, whose plans name functions as people do. */
final class ShownExplain extends SparkStrategy {
  private final SparkSession session;

  ShownExplain(SparkSession session) {
    this.session = session;
  }

  @Override
  public Seq<SparkPlan> apply(LogicalPlan plan) {
    List<SparkPlan> carried = new ArrayList<>();
    if (plan instanceof ExplainCommand explain) {
      List<InternalRow> rows = new ArrayList<>();
      for (Row row : CollectionConverters.asJava(explain.run(session))) {
        Object shown = UTF8String.fromString(ShownNames.in(row.getString(0)));
        rows.add(new GenericInternalRow(new Object[] {shown}));
      }
      carried.add(new LocalTableScanExec(
          explain.output(), CollectionConverters.asScala(rows).toList(), Option.empty()));
    }
    return CollectionConverters.asScala(carried).toList();
  }
}
