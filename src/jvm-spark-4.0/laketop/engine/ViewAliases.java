package laketop.engine;

import java.util.List;
import org.apache.spark.sql.catalyst.AliasIdentifier;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.plans.logical.View;
import org.apache.spark.sql.catalyst.rules.Rule;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Lets columns of a view be named by its own catalog, {@code main.s.v.a}: this version of Spark
 * takes every view for one of its session catalog.
 */
final class ViewAliases extends Rule<LogicalPlan> {
  private static final String SESSION_CATALOG = "spark_catalog";

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return plan.resolveOperatorsUp(new Each<LogicalPlan>(ViewAliases::named));
  }

  private static LogicalPlan named(LogicalPlan plan) {
    if (!(plan instanceof SubqueryAlias alias
        && alias.child() instanceof View view && !view.isTempView())) {
      return plan;
    }
    List<String> qualifier = CollectionConverters.asJava(alias.identifier().qualifier());
    Option<String> catalog = view.desc().identifier().catalog();
    if (qualifier.size() != 2 || !qualifier.get(0).equals(SESSION_CATALOG) || catalog.isEmpty()) {
      return plan;
    }
    List<String> own = List.of(catalog.get(), qualifier.get(1));
    return new SubqueryAlias(new AliasIdentifier(
        alias.identifier().name(), CollectionConverters.asScala(own).toList()), alias.child());
  }
}
