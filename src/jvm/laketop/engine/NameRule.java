package laketop.engine;

import org.apache.spark.sql.catalyst.analysis.ResolvedIdentifier;
import org.apache.spark.sql.catalyst.plans.logical.CreateTable;
import org.apache.spark.sql.catalyst.plans.logical.CreateTableAsSelect;
import org.apache.spark.sql.catalyst.plans.logical.DropView;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.ReplaceTable;
import org.apache.spark.sql.catalyst.plans.logical.ReplaceTableAsSelect;
import scala.Function1;
import scala.runtime.BoxedUnit;

/** Tells names that are taken or missing, where Spark, which looks later, leaves out the catalog. */
final class NameRule {
  private NameRule() {}

  static Function1<LogicalPlan, BoxedUnit> of() {
    return plan -> {
      if (plan instanceof CreateTable p && !p.ignoreIfExists()) {
        requireFree(p.name());
      } else if (plan instanceof CreateTableAsSelect p && !p.ignoreIfExists()) {
        requireFree(p.name());
      } else if (plan instanceof ReplaceTable p && !p.orCreate()) {
        requireTable(p.name());
      } else if (plan instanceof ReplaceTableAsSelect p && !p.orCreate()) {
        requireTable(p.name());
      } else if (plan instanceof DropView p && !p.ifExists()) {
        requireView(p.child());
      }
      return BoxedUnit.UNIT;
    };
  }

  private static void requireFree(LogicalPlan name) {
    if (name instanceof ResolvedIdentifier id && id.catalog() instanceof LakeCatalog catalog
        && !catalog.isPathIdentifier(id.identifier()) && catalog.tableExists(id.identifier())) {
      throw Lake.sneak(NameErrors.tableTaken(catalog.name(), id.identifier()));
    }
  }

  private static void requireTable(LogicalPlan name) {
    if (name instanceof ResolvedIdentifier id && id.catalog() instanceof LakeCatalog catalog
        && !catalog.tableExists(id.identifier())) {
      throw Lake.sneak(NameErrors.noTable(catalog.name(), id.identifier()));
    }
  }

  private static void requireView(LogicalPlan name) {
    if (name instanceof ResolvedIdentifier id && id.catalog() instanceof LakeCatalog catalog
        && !catalog.tableExists(id.identifier()) && !catalog.viewExists(id.identifier())) {
      throw Lake.sneak(NameErrors.noView(catalog.name(), id.identifier()));
    }
  }
}
