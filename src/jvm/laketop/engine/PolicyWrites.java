package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.DeltaMergeAction;
import org.apache.spark.sql.catalyst.plans.logical.DeltaMergeIntoClause;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.OverwriteByExpression;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.delta.catalog.DeltaTableV2;
import org.apache.spark.sql.delta.commands.DeleteCommand;
import org.apache.spark.sql.delta.commands.MergeIntoCommand;
import org.apache.spark.sql.delta.commands.UpdateCommand;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import scala.Function1;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/**
 * Refuses what would tell of hidden values by changing them.
 *
 * <p>UPDATE, DELETE, MERGE and REPLACE WHERE look at what is stored, not at what a row filter and a
 * column mask leave. Whoever may drop those may do so; to others the values stay hidden.
 */
final class PolicyWrites {
  private final String user;

  private PolicyWrites(String user) {
    this.user = user;
  }

  static Function1<LogicalPlan, BoxedUnit> of(SparkSession session) {
    return plan -> {
      if (!AccessRule.forAnother(session)) {
        new PolicyWrites(Sessions.user(session)).check(plan);
      }
      return BoxedUnit.UNIT;
    };
  }

  private void check(LogicalPlan plan) {
    if (plan instanceof UpdateCommand update) {
      List<Expression> read = new ArrayList<>(listed(update.condition()));
      read.addAll(changed(update));
      require(update.catalogTable(), update.target(), read);
    } else if (plan instanceof DeleteCommand delete) {
      require(delete.catalogTable(), delete.target(), listed(delete.condition()));
    } else if (plan instanceof MergeIntoCommand merge) {
      require(merge.catalogTable(), merge.target(), read(merge));
    } else if (plan instanceof OverwriteByExpression overwrite
        && overwrite.table() instanceof DataSourceV2Relation relation
        && relation.table() instanceof DeltaTableV2 table
        && !overwrite.deleteExpr().foldable()) { // all rows, whatever they are
      require(table.catalogTable(), relation, List.of(overwrite.deleteExpr()));
    }
  }

  /** Returns the values that an UPDATE computes; a column that stays as it is tells nothing. */
  private static List<Expression> changed(UpdateCommand update) {
    List<Expression> values = CollectionConverters.asJava(update.updateExpressions());
    List<Attribute> columns = CollectionConverters.asJava(update.target().output());
    List<Expression> changed = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      if (i >= columns.size() || !values.get(i).semanticEquals(columns.get(i))) {
        changed.add(values.get(i));
      }
    }
    return changed;
  }

  private static List<Expression> read(MergeIntoCommand merge) {
    List<Expression> read = new ArrayList<>(List.of(merge.condition()));
    clauses(merge.matchedClauses(), read);
    clauses(merge.notMatchedBySourceClauses(), read);
    return read;
  }

  private static void clauses(Seq<? extends DeltaMergeIntoClause> clauses, List<Expression> read) {
    for (DeltaMergeIntoClause clause : CollectionConverters.asJava(clauses)) {
      read.addAll(listed(clause.condition()));
      for (Expression action : CollectionConverters.asJava(clause.actions())) {
        if (!(action instanceof DeltaMergeAction set && stays(set))) {
          read.add(action);
        }
      }
    }
  }

  private static boolean stays(DeltaMergeAction set) {
    return set.expr() instanceof Attribute column
        && set.targetColNameParts().size() == 1
        && set.targetColNameParts().head().equals(column.name());
  }

  private static List<Expression> listed(Option<Expression> condition) {
    return condition.isDefined() ? List.of(condition.get()) : List.of();
  }

  private void require(Option<CatalogTable> table, LogicalPlan target, List<Expression> read) {
    if (table.isEmpty()
        || table.get().identifier().catalog().isEmpty()
        || table.get().identifier().database().isEmpty()) {
      return;
    }
    String[] name = {table.get().identifier().catalog().get(),
        table.get().identifier().database().get(), table.get().identifier().table()};
    Policies policies = Policies.of(name);
    if (policies.none() || Access.allows(user, "MANAGE", "TABLE", String.join(".", name))) {
      return;
    }
    if (policies.filter() != null) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "UPDATE, DELETE, MERGE and REPLACE WHERE of a table"
          + " with a row filter are for those who may drop it: they see the rows that it hides.");
    }
    for (Attribute column : CollectionConverters.asJava(target.output())) {
      if (policies.mask(column.name()) != null
          && read.stream().anyMatch(each -> each.references().contains(column))) {
        throw Refusal.of("UNSUPPORTED_FEATURE", "The column " + column.name() + " has a mask, and"
            + " UPDATE, DELETE, MERGE and REPLACE WHERE read what is stored: without the right to"
            + " drop the mask they set this column, but do not read it.");
      }
    }
  }
}
