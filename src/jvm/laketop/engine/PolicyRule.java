package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.AliasIdentifier;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.RelationTimeTravel;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.expressions.Alias$;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.plans.logical.CloneTableStatement;
import org.apache.spark.sql.catalyst.plans.logical.DeleteFromTable;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.MergeIntoTable;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.plans.logical.UpdateTable;
import org.apache.spark.sql.catalyst.trees.TreeNodeTag;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.delta.commands.cdc.CDCReader;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import scala.Function1;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/** Puts a table's row filter and column masks over every place that reads it. */
final class PolicyRule {
  private static final TreeNodeTag<Object> BARE = new TreeNodeTag<>("laketop.bare");
  private final SparkSession session;

  PolicyRule(SparkSession session) {
    this.session = session;
  }

  LogicalPlan apply(LogicalPlan plan) {
    if (plan instanceof UpdateTable
        || plan instanceof DeleteFromTable
        || plan instanceof CloneTableStatement) { // which Clones lets copy no such table
      return plan;
    }
    if (plan instanceof MergeIntoTable merge) {
      return (LogicalPlan) merge.withNewChildren(CollectionConverters.asScala(
          List.of(merge.targetTable(), apply(merge.sourceTable()))).toIndexedSeq());
    }
    if (plan instanceof RelationTimeTravel travel
        && travel.relation() instanceof UnresolvedRelation relation
        && !policies(relation).none()) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "Time travel on a table with a row filter or a column mask is not supported.");
    }
    if (plan instanceof UnresolvedRelation relation) {
      Policies policies = policies(relation);
      return policies.none() ? relation : covered(relation, policies);
    }
    return (LogicalPlan) plan.mapChildren(child -> apply((LogicalPlan) child));
  }

  /** Refuses the changes of a table that has policies: they come by a way of their own. */
  static Function1<LogicalPlan, BoxedUnit> changes() {
    return plan -> {
      plan.foreachWithSubqueries(each -> {
        if (each instanceof LogicalRelation relation
            && relation.relation() instanceof CDCReader.DeltaCDFRelation changes
            && changes.catalogTableOpt().isDefined()) {
          refuse(changes.catalogTableOpt().get().identifier());
        }
        return BoxedUnit.UNIT;
      });
      return BoxedUnit.UNIT;
    };
  }

  private static void refuse(TableIdentifier id) {
    if (id.catalog().isEmpty() || id.database().isEmpty()) {
      return;
    }
    String[] table = {id.catalog().get(), id.database().get(), id.table()};
    if (!Policies.of(table).none()) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "The changes of a table with a row filter or a column mask are not shown.");
    }
  }

  private Policies policies(UnresolvedRelation relation) {
    List<String> written = CollectionConverters.asJava(relation.multipartIdentifier());
    if (relation.getTagValue(BARE).isDefined() || temporary(written)) {
      return Policies.NONE;
    }
    String[] name = Functions.qualify(session, written);
    boolean possible =
        name != null && Names.valid(name[0]) && Names.valid(name[1]) && Names.valid(name[2]);
    return possible ? Policies.of(name) : Policies.NONE;
  }

  private boolean temporary(List<String> written) {
    return session.sessionState().catalog()
        .isTempView(CollectionConverters.asScala(written).toList());
  }

  private LogicalPlan covered(UnresolvedRelation relation, Policies policies) {
    String[] name = policies.table();
    UnresolvedRelation bare = new UnresolvedRelation(
        relation.multipartIdentifier(), relation.options(), relation.isStreaming());
    bare.setTagValue(BARE, true);
    LogicalPlan rows = policies.filter() == null
        ? bare
        : new Filter(call(policies.filter(), policies.filtered()), bare);
    List<NamedExpression> columns = new ArrayList<>();
    for (Column column : columns(name)) {
      columns.add(column(column, policies));
    }
    AliasIdentifier alias = new AliasIdentifier(
        name[2], CollectionConverters.asScala(List.of(name[0], name[1])).toList());
    SubqueryAlias covered = new SubqueryAlias(
        alias, new Project(CollectionConverters.asScala(columns).toList(), rows));
    covered.copyTagsFrom(relation);
    return covered;
  }

  private Column[] columns(String[] name) {
    LakeCatalog catalog =
        (LakeCatalog) session.sessionState().catalogManager().catalog(name[0]);
    return catalog.loadTable(Identifier.of(new String[] {name[1]}, name[2])).columns();
  }

  private NamedExpression column(Column column, Policies policies) {
    String mask = policies.mask(column.name());
    if (mask == null) {
      return attribute(column.name());
    }
    List<String> arguments = new ArrayList<>(List.of(column.name()));
    arguments.addAll(policies.using(column.name()));
    Expression masked = Cast$.MODULE$.apply(call(mask, arguments), column.dataType(), true);
    return Alias$.MODULE$.apply(masked, column.name(), NamedExpression$.MODULE$.newExprId(),
        CollectionConverters.asScala(List.<String>of()).toList(), Option.empty(),
        CollectionConverters.asScala(List.<String>of()).toList());
  }

  private static UnresolvedAttribute attribute(String name) {
    return new UnresolvedAttribute(CollectionConverters.asScala(List.of(name)).toList());
  }

  /** Returns a call of a policy's function, which its owner answers for. */
  private Expression call(String function, List<String> columns) {
    List<String> registered = Functions.resolve(session, function.split("\\."));
    if (registered == null) {
      throw Refusal.missing("ROUTINE_NOT_FOUND", "function of a row filter or column mask",
          function.split("\\."));
    }
    List<Expression> arguments = new ArrayList<>();
    columns.forEach(column -> arguments.add(attribute(column)));
    UnresolvedFunction call = SparkApi.call(registered, arguments);
    call.setTagValue(FunctionRule.OF_POLICY, true);
    return call;
  }
}
