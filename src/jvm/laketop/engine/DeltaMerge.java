package laketop.engine;

import io.delta.tables.DeltaMergeBuilder;
import io.delta.tables.DeltaMergeMatchedActionBuilder;
import io.delta.tables.DeltaMergeNotMatchedActionBuilder;
import io.delta.tables.DeltaMergeNotMatchedBySourceActionBuilder;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.classic.Dataset$;
import org.apache.spark.sql.connect.planner.SparkConnectPlanner;

/** The merge that {@code DeltaTable.merge(...)} of a Connect client describes. */
final class DeltaMerge {
  private static final int DELETE = 2;
  private static final int UPDATE = 3;
  private static final int UPDATE_ALL = 4;
  private static final int INSERT = 5;

  private final SparkConnectPlanner planner;
  private DeltaMergeBuilder merge;

  private DeltaMerge(SparkConnectPlanner planner, DeltaMergeBuilder merge) {
    this.planner = planner;
    this.merge = merge;
  }

  static DeltaMergeBuilder of(DeltaMessage sent, SparkConnectPlanner planner) {
    Dataset<Row> source = Dataset$.MODULE$.ofRows(
        planner.session(), DeltaTables.relation(sent.bytes(2), planner));
    DeltaMerge made = new DeltaMerge(planner, DeltaTables.target(sent.bytes(1), planner.session())
        .merge(source, DeltaTables.column(sent.bytes(3), planner)));
    sent.messages(4).forEach(made::matched);
    sent.messages(5).forEach(made::notMatched);
    sent.messages(6).forEach(made::notMatchedBySource);
    return sent.flag(7) ? made.merge.withSchemaEvolution() : made.merge;
  }

  private void matched(DeltaMessage action) {
    DeltaMergeMatchedActionBuilder when =
        action.has(1) ? merge.whenMatched(condition(action)) : merge.whenMatched();
    if (action.has(DELETE)) {
      merge = when.delete();
    } else if (action.has(UPDATE_ALL)) {
      merge = when.updateAll();
    } else {
      merge = when.update(assignments(action.message(UPDATE)));
    }
  }

  private void notMatched(DeltaMessage action) {
    DeltaMergeNotMatchedActionBuilder when =
        action.has(1) ? merge.whenNotMatched(condition(action)) : merge.whenNotMatched();
    merge = action.has(INSERT)
        ? when.insert(assignments(action.message(INSERT)))
        : when.insertAll();
  }

  private void notMatchedBySource(DeltaMessage action) {
    DeltaMergeNotMatchedBySourceActionBuilder when = action.has(1)
        ? merge.whenNotMatchedBySource(condition(action))
        : merge.whenNotMatchedBySource();
    merge = action.has(DELETE)
        ? when.delete()
        : when.update(assignments(action.message(UPDATE)));
  }

  private Column condition(DeltaMessage action) {
    return DeltaTables.column(action.bytes(1), planner);
  }

  private Map<String, Column> assignments(DeltaMessage action) {
    Map<String, Column> assignments = new LinkedHashMap<>();
    for (DeltaMessage one : action.messages(1)) {
      UnresolvedAttribute field =
          (UnresolvedAttribute) DeltaTables.expression(one.bytes(1), planner);
      assignments.put(field.name(), DeltaTables.column(one.bytes(2), planner));
    }
    return assignments;
  }
}
