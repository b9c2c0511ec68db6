package laketop.engine;

import java.util.Set;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.PersistedView$;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.command.CreateViewCommand;
import org.apache.spark.sql.execution.command.ShowFunctionsCommand;
import scala.Function1;
import scala.runtime.BoxedUnit;

/** Refuses what Spark's session catalog would keep and lose, and what laketop keeps in it. */
final class SessionCatalogRule {
  private static final Set<String> CREATES = Set.of("CreateTableCommand",
      "CreateDataSourceTableCommand", "CreateDataSourceTableAsSelectCommand");

  private SessionCatalogRule() {}

  static Function1<LogicalPlan, BoxedUnit> of() {
    return plan -> {
      if (CREATES.contains(plan.getClass().getSimpleName())) {
        throw SessionCatalog.refusal("the table");
      }
      if (plan instanceof CreateViewCommand view && view.viewType() == PersistedView$.MODULE$
          && !isOurs(view.name())) {
        throw SessionCatalog.refusal(view.name().table());
      }
      if (plan instanceof ShowFunctionsCommand show && Functions.isOwn(show.db())) {
        throw Refusal.missing("SCHEMA_NOT_FOUND", "schema", "spark_catalog", show.db());
      }
      return BoxedUnit.UNIT;
    };
  }

  private static boolean isOurs(TableIdentifier view) {
    return view.catalog().isDefined() && !view.catalog().get().equals("spark_catalog");
  }
}
