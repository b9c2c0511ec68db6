package laketop.engine;

import io.delta.tables.DeltaOptimizeBuilder;
import io.delta.tables.DeltaTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.DeltaDelete;
import org.apache.spark.sql.catalyst.plans.logical.DeltaUpdateTable;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.Dataset$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.planner.SparkConnectPlanner;
import org.apache.spark.sql.connect.plugin.RelationPlugin;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/** What {@code delta.tables.DeltaTable} of a Connect client reads, and does for a result. */
public final class DeltaRelations implements RelationPlugin {
  @Override
  public Optional<LogicalPlan> transform(byte[] extension, SparkConnectPlanner planner) {
    DeltaMessage relation = DeltaMessage.unpack(extension, "DeltaRelation");
    if (relation == null) {
      return Optional.empty();
    }
    int choice = relation.choice();
    return Optional.of(plan(choice, relation.message(choice), planner));
  }

  private static LogicalPlan plan(int choice, DeltaMessage sent, SparkConnectPlanner planner) {
    SparkSession session = planner.session();
    return switch (choice) {
      case 1 -> plan(DeltaTables.of(sent.message(1), session).toDF());
      case 2 -> plan(DeltaTables.of(sent.message(1), session).history());
      case 3 -> plan(DeltaTables.of(sent.message(1), session).detail());
      case 4 -> convert(sent, planner);
      case 5 -> restore(sent, session);
      case 6 -> value(session, DeltaTable.isDeltaTable(session, sent.text(1)));
      case 7 -> delete(sent, planner);
      case 8 -> update(sent, planner);
      case 9 -> plan(DeltaMerge.of(sent, planner).execute());
      case 10 -> optimize(sent, session);
      default -> throw Refusal.of("UNSUPPORTED_FEATURE",
          "This part of DeltaTable, number " + choice + ", is not supported over Spark Connect.");
    };
  }

  private static LogicalPlan plan(Dataset<Row> rows) {
    return ((org.apache.spark.sql.classic.Dataset<Row>) rows).logicalPlan();
  }

  private static LogicalPlan value(SparkSession session, Object value) {
    return plan(session.range(1).select(functions.lit(value).as("value")));
  }

  private static LogicalPlan convert(DeltaMessage sent, SparkConnectPlanner planner) {
    SparkSession session = planner.session();
    String partitions = sent.has(2)
        ? sent.text(2)
        : sent.has(3) ? ((StructType) DeltaTables.type(sent.bytes(3), session)).toDDL() : null;
    session.sql("CONVERT TO DELTA " + sent.text(1)
        + (partitions == null ? "" : " PARTITIONED BY (" + partitions + ")"));
    return value(session, sent.text(1).replaceFirst("(?i)^parquet\\.", "delta."));
  }

  private static LogicalPlan restore(DeltaMessage sent, SparkSession session) {
    DeltaTable table = DeltaTables.of(sent.message(1), session);
    return plan(sent.has(3)
        ? table.restoreToTimestamp(sent.text(3))
        : table.restoreToVersion(sent.number(2)));
  }

  private static LogicalPlan delete(DeltaMessage sent, SparkConnectPlanner planner) {
    LogicalPlan target = DeltaTables.relation(sent.bytes(1), planner);
    return run(planner, new DeltaDelete(target, condition(sent, planner)));
  }

  private static LogicalPlan update(DeltaMessage sent, SparkConnectPlanner planner) {
    List<Expression> fields = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    for (DeltaMessage assignment : sent.messages(3)) {
      fields.add(DeltaTables.expression(assignment.bytes(1), planner));
      values.add(DeltaTables.expression(assignment.bytes(2), planner));
    }
    LogicalPlan target = DeltaTables.relation(sent.bytes(1), planner);
    return run(planner, new DeltaUpdateTable(
        target,
        CollectionConverters.asScala(fields).toList(),
        CollectionConverters.asScala(values).toList(),
        condition(sent, planner)));
  }

  private static Option<Expression> condition(DeltaMessage sent, SparkConnectPlanner planner) {
    return sent.has(2)
        ? Option.apply(DeltaTables.expression(sent.bytes(2), planner))
        : Option.empty();
  }

  private static LogicalPlan run(SparkConnectPlanner planner, LogicalPlan command) {
    return plan(Dataset$.MODULE$.ofRows(planner.session(), command));
  }

  private static LogicalPlan optimize(DeltaMessage sent, SparkSession session) {
    DeltaOptimizeBuilder builder = DeltaTables.of(sent.message(1), session).optimize();
    sent.texts(2).forEach(builder::where);
    List<String> columns = sent.texts(3);
    return plan(columns.isEmpty()
        ? builder.executeCompaction()
        : builder.executeZOrderBy(columns.toArray(String[]::new)));
  }
}
